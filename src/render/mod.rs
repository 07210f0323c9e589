//! How it reads: domain in, text out.

pub mod message;
