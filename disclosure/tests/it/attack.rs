//! The reconstruction attack in small form; `examples/attack.rs` is the large one.

use crate::attacker::Found;
use crate::scenario::Scenario;

#[test]
fn eight_releases_tell_of_nobody_in_bands_and_of_many_elsewhere() {
    let sizes = [(350, 97, 8), (120, 97, 8), (120, 85, 8), (120, 60, 8)];
    for (women, yes, coalitions) in sizes {
        let attacked = Scenario { seed: 1, women, yes, turnover: 8 }.run(coalitions);
        for a in &attacked {
            println!(
                "{women} women, {yes} % yes, {}: {} figures of {} women, {:?} alone, {:?} with {} coalitions",
                a.method, a.figures, a.women, a.alone, a.with_three, a.coalitions
            );
        }
        let [exact, rounded, bands] = attacked.try_into().ok().unwrap();
        assert_eq!([bands.alone, bands.with_three], [Found::default(); 2], "{women} women, {yes} %");
        assert!(bands.figures > 8, "{women} women, {yes} %");
        assert!(exact.alone.known > 0, "the attack works");
        if yes == 97 {
            assert!(exact.alone.known * 2 > exact.women && rounded.alone.known * 10 > rounded.women);
        }
    }
}
