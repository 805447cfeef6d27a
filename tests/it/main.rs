//! All tests: one file per domain, and those of the house.

#[cfg(test)]
mod access;

#[cfg(test)]
mod schema;

#[cfg(test)]
mod smoke;

#[cfg(test)]
mod pages;
