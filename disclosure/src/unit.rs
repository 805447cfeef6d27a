use std::fmt;

use serde::{Deserialize, Serialize};

/// The number of one woman in the history of releases. It says nothing about her: whoever calls keeps the link, and
/// destroys it when she asks to be erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Unit(pub u32);

/// A set of women, as bits. Stored as the sorted list of their numbers.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(from = "Vec<Unit>", into = "Vec<Unit>")]
pub struct UnitSet {
    // The last word is never zero, so that equal sets are equal values.
    words: Vec<u64>,
}

impl UnitSet {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn insert(&mut self, unit: Unit) {
        let (word, bit) = place(unit);
        if self.words.len() <= word {
            self.words.resize(word + 1, 0);
        }
        self.words[word] |= bit;
    }

    pub fn remove(&mut self, unit: Unit) {
        let (word, bit) = place(unit);
        if let Some(found) = self.words.get_mut(word) {
            *found &= !bit;
            while self.words.last() == Some(&0) {
                self.words.pop();
            }
        }
    }

    pub fn contains(&self, unit: Unit) -> bool {
        let (word, bit) = place(unit);
        self.words.get(word).is_some_and(|w| w & bit != 0)
    }

    pub fn len(&self) -> usize {
        self.words.iter().map(|w| w.count_ones() as usize).sum()
    }

    /// All members have smaller numbers than this.
    pub(crate) fn end(&self) -> usize {
        self.words.len() * 64
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = Unit> + '_ {
        self.words.iter().enumerate().flat_map(|(at, &word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| Unit(at as u32 * 64 + bit))
        })
    }

    pub fn and(&self, other: &Self) -> Self {
        Self::trimmed(self.words.iter().zip(&other.words).map(|(a, b)| a & b).collect())
    }

    pub fn or(&self, other: &Self) -> Self {
        let (long, short) = if self.words.len() < other.words.len() { (other, self) } else { (self, other) };
        let mut words = long.words.clone();
        words.iter_mut().zip(&short.words).for_each(|(a, b)| *a |= b);
        Self { words }
    }

    pub fn minus(&self, other: &Self) -> Self {
        let mut words = self.words.clone();
        words.iter_mut().zip(&other.words).for_each(|(a, b)| *a &= !b);
        Self::trimmed(words)
    }

    /// How many are in both.
    pub fn shared(&self, other: &Self) -> usize {
        self.words.iter().zip(&other.words).map(|(a, b)| (a & b).count_ones() as usize).sum()
    }

    pub fn intersects(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).any(|(a, b)| a & b != 0)
    }

    pub fn is_subset(&self, other: &Self) -> bool {
        self.shared(other) == self.len()
    }

    /// The larger of |A\B| and |B\A|: how far two bases are apart, zero when they are the same women.
    pub fn apart(&self, other: &Self) -> usize {
        let shared = self.shared(other);
        (self.len() - shared).max(other.len() - shared)
    }

    fn trimmed(mut words: Vec<u64>) -> Self {
        while words.last() == Some(&0) {
            words.pop();
        }
        Self { words }
    }
}

fn place(unit: Unit) -> (usize, u64) {
    (unit.0 as usize / 64, 1 << (unit.0 % 64))
}

impl FromIterator<Unit> for UnitSet {
    fn from_iter<I: IntoIterator<Item = Unit>>(units: I) -> Self {
        let mut set = Self::new();
        units.into_iter().for_each(|unit| set.insert(unit));
        set
    }
}

impl From<Vec<Unit>> for UnitSet {
    fn from(units: Vec<Unit>) -> Self {
        units.into_iter().collect()
    }
}

impl From<UnitSet> for Vec<Unit> {
    fn from(set: UnitSet) -> Self {
        set.iter().collect()
    }
}

impl fmt::Debug for UnitSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter().map(|unit| unit.0)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(units: &[u32]) -> UnitSet {
        units.iter().map(|&unit| Unit(unit)).collect()
    }

    #[test]
    fn sets_behave_as_sets_across_words() {
        let (a, b) = (set(&[1, 63, 64, 200]), set(&[1, 64, 70]));
        assert_eq!(a.and(&b), set(&[1, 64]));
        assert_eq!(a.or(&b), set(&[1, 63, 64, 70, 200]));
        assert_eq!(a.minus(&b), set(&[63, 200]));
        assert_eq!(a.shared(&b), 2);
        assert_eq!(a.apart(&b), 2);
        assert_eq!(b.apart(&a), 2);
        assert!(a.and(&b).is_subset(&a) && !a.is_subset(&b) && a.intersects(&b));
        assert!(set(&[200]).minus(&set(&[200])).is_empty());
        assert_eq!(a.iter().map(|unit| unit.0).collect::<Vec<_>>(), [1, 63, 64, 200]);
    }
}
