//! A short name for what is long.

use sha2::{Digest, Sha256};

/// The first four bytes of a SHA-256.
pub fn of(bytes: impl AsRef<[u8]>) -> u32 {
    u32::from_be_bytes(beginning(bytes))
}

/// The first eight bytes of a SHA-256. The chance that any two of a million share one is below one in ten million.
pub fn long(bytes: impl AsRef<[u8]>) -> u64 {
    u64::from_be_bytes(beginning(bytes))
}

/// The first sixteen bytes of a SHA-256, in hexadecimal digits: nobody finds another text that has the same.
pub fn hex(bytes: impl AsRef<[u8]>) -> String {
    format!("{:032x}", u128::from_be_bytes(beginning(bytes)))
}

/// A SHA-256.
pub fn whole(bytes: impl AsRef<[u8]>) -> [u8; 32] {
    beginning(bytes)
}

fn beginning<const N: usize>(bytes: impl AsRef<[u8]>) -> [u8; N] {
    let hash = Sha256::digest(bytes);
    std::array::from_fn(|place| hash[place])
}
