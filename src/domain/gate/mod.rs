//! Whether something may be deployed: the judgement that its findings would get afterwards, before.
//!
//! Pure. [`Image`] is what a registry says of an image. [`ScanState`] says whether there is anything to judge by, which *no
//! finding* alone never does; [`judge()`] judges each finding by the score and the ledger that are in force for those of
//! deployed resources, and [`Judgement`] is what every format shows.

mod baseline;
mod cannot_tell;
mod image;
mod judge;
mod registry;
mod rules;
mod scan;
mod subject;

pub use baseline::Baseline;
pub use cannot_tell::CannotTell;
pub use image::{ImageName, NotAnImage, Reference, Registry, arn, is_account, is_digest};
pub use judge::{
    Candidate, Counts, CoveredBy, Covering, Judged, Judgement, Judging, Standing, UpdateWorth,
    Verdict, judge, latest,
};
pub use registry::{
    Frequency, Image, ImageStatus, NotAnIndex, Platform, ScanRule, ScanStatus, ScanType, Scanned,
    Scanning,
};
pub use rules::{NotAThreshold, Rules, Threshold};
pub use scan::{ScanState, Settled};
pub use subject::{Gate, Note, Scan, Subject, Unchecked};
