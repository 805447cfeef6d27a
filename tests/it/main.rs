//! All tests: one file per domain, and those of the house.

#[cfg(test)]
mod access;

#[cfg(test)]
mod bad_input;

#[cfg(test)]
mod distribution_scope;

#[cfg(test)]
mod not_there;

#[cfg(test)]
mod cost;

#[cfg(test)]
mod http;

#[cfg(test)]
mod schema;

#[cfg(test)]
mod pages;

#[cfg(test)]
mod world;

#[cfg(test)]
mod seed;

#[cfg(test)]
mod talk;

#[cfg(test)]
mod growth;

#[cfg(test)]
mod import;

#[cfg(test)]
mod export;

#[cfg(test)]
mod import_stock;

#[cfg(test)]
mod print;

#[cfg(test)]
mod tied;

#[cfg(test)]
mod lifecycle;

#[cfg(test)]
mod facility;

#[cfg(test)]
mod distribution;

#[cfg(test)]
mod shipment;

#[cfg(test)]
mod duplicate;

#[cfg(test)]
mod operator;

#[cfg(test)]
mod token;

#[cfg(test)]
mod program;

#[cfg(test)]
mod item;

#[cfg(test)]
mod kit;

#[cfg(test)]
mod agreement;

#[cfg(test)]
mod award;

#[cfg(test)]
mod organization;

#[cfg(test)]
mod participant;

#[cfg(test)]
mod membership;

#[cfg(test)]
mod stock;

#[cfg(test)]
mod storm;

#[cfg(test)]
mod changes;

#[cfg(test)]
mod gift;

#[cfg(test)]
mod live;

#[cfg(test)]
mod audit;

#[cfg(test)]
mod safeguarding;

#[cfg(test)]
mod work;

#[cfg(test)]
mod payout;

#[cfg(test)]
mod survey;

#[cfg(test)]
mod sign_in;

#[cfg(test)]
mod rights_request;

#[cfg(test)]
mod release;

#[cfg(test)]
mod release_file;

#[cfg(test)]
mod retention;
