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

/// A SHA-256 as registries of images write it: `sha256:` and 64 hexadecimal digits.
pub fn of_content(bytes: impl AsRef<[u8]>) -> String {
    format!("sha256:{}", hexadecimal(whole(bytes)))
}

fn hexadecimal(hash: [u8; 32]) -> String {
    let half = |from: usize| u128::from_be_bytes(std::array::from_fn(|place| hash[from + place]));
    format!("{:032x}{:032x}", half(0), half(16))
}

/// A SHA-256 that grows with what is written.
#[derive(Clone, Debug, Default)]
pub struct Running(Sha256);

impl Running {
    /// Takes some more bytes.
    pub fn add(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The SHA-256 of all of them: 64 hexadecimal digits.
    pub fn finish(self) -> String {
        hexadecimal(self.0.finalize().into())
    }
}

fn beginning<const N: usize>(bytes: impl AsRef<[u8]>) -> [u8; N] {
    let hash = Sha256::digest(bytes);
    std::array::from_fn(|place| hash[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_of_content_is_that_of_sha256sum() {
        // printf '{}' | sha256sum
        let expected = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(of_content("{}"), expected);
    }
}
