//! How much of an event is kept.
//!
//! A row of DynamoDB holds at most 400 KB, and an event may be 1 MB. The bounds are above what the
//! service model of Inspector allows or what was ever seen, and low enough that the largest finding
//! they let through fits a row with room to spare (see the test). What is beyond is cut, with an
//! ellipsis where it is text.

/// Names, versions, identifiers, words. The model allows 1,024 characters, real ones stay below 100.
pub const NAME: usize = 256;
/// URLs, paths and ARNs.
pub const URL: usize = 512;
/// Titles and descriptions: the model's limit.
pub const TEXT: usize = 1024;
/// The command or advice for a package.
pub const REMEDY: usize = 512;
/// Advice for a code finding, which is longer.
pub const ADVICE: usize = 4096;
/// CVSS entries of a vulnerability.
pub const CVSS: usize = 10;
/// References and related identifiers.
pub const REFERENCES: usize = 20;
/// Vulnerable packages. The model has no limit; up to 6 were seen.
pub const PACKAGES: usize = 25;
/// Resources of a finding. The model's limit.
pub const RESOURCES: usize = 10;
/// Tags of a resource. AWS's limit.
pub const TAGS: usize = 50;
/// Bytes of a tag's key.
pub const TAG_KEY: usize = 128;
/// Bytes of a tag's value.
pub const TAG_VALUE: usize = 256;
/// Tags of a container image.
pub const IMAGE_TAGS: usize = 5;
/// Bytes of an address: the longest IPv6 one, with a zone.
pub const ADDRESS: usize = 47;
/// Addresses of a machine.
pub const ADDRESSES: usize = 20;
/// Steps of a network path. The model's limit.
pub const STEPS: usize = 30;
