//! One binary for all that is held against whole releases. Bands are tested beside their code.

mod properties;
mod support;
mod years;
