//! An image before it is deployed: which one it is, and whether it is scanned.

mod image;
mod registry;

pub use image::{ImageName, NotAnImage, Reference, Registry, arn, is_account, is_digest};
pub use registry::{
    Frequency, Image, ImageStatus, NotAnIndex, Platform, ScanRule, ScanStatus, ScanType, Scanned,
    Scanning,
};
