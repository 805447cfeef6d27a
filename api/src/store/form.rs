//! Numbers of paper forms.

use super::Access;

impl Access {
    /// A number for a paper form, such as `AE-261121-7KQ4-M2XD`: the day, and forty random bits in letters and digits
    /// that are not mistaken for each other when they are read aloud or typed. It is kept nowhere.
    pub fn fresh_form_number(&self, letters: &str) -> String {
        const DIGITS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
        let id = self.new_id();
        // The first six bytes of a random id are random in every bit.
        let bits = id.as_bytes().iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let digit = |place: u32| char::from(DIGITS[(bits >> (5 * place) & 31) as usize]);
        let (first, second): (String, String) = ((0..4).map(digit).collect(), (4..8).map(digit).collect());
        format!("{letters}-{}-{first}-{second}", self.today().format("%y%m%d"))
    }
}
