//! A short name for what is long.

use sha2::{Digest, Sha256};

/// The first four bytes of a SHA-256.
pub fn of(bytes: impl AsRef<[u8]>) -> u32 {
    let hash = Sha256::digest(bytes);
    u32::from_be_bytes([hash[0], hash[1], hash[2], hash[3]])
}
