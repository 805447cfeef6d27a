//! Pay-outs: what is sold reaches the women who made it, by a policy that stays as it was, to the last minor unit.

pub mod acknowledge;
pub mod currency;
pub mod policy;
mod pools;
pub mod read;
pub mod run;
pub mod savings;
pub mod share;
