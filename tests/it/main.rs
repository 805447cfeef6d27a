//! All tests: one file per domain, and those of the house.

#[cfg(test)]
mod schema;

#[cfg(test)]
mod smoke;
