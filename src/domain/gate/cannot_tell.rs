//! Why there is no judgement. The gate is closed then, and says so in a way of its own: nobody has looked.

use jiff::Timestamp;

/// Why there is no judgement. Its texts may be a stranger's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CannotTell {
    /// There is no such repository.
    NoRepository {
        /// Its name.
        repository: String,
        /// Where it was looked for, such as `eu-central-1`.
        place: String,
    },
    /// There is no such image.
    NoImage {
        /// Its name.
        image: String,
        /// Where it was looked for, such as `eu-central-1`.
        place: String,
    },
    /// The image is in the archive, where nothing is scanned.
    Archived {
        /// Its name.
        image: String,
    },
    /// The manifest of the image is none whose images can be told.
    IllManifest {
        /// Its name.
        image: String,
        /// What is wrong with it.
        why: String,
    },
    /// The registry leaves scanning to ECR: Inspector looks at none of its images.
    NotEnhanced {
        /// Its name.
        image: String,
    },
    /// No rule of the registry has the repository scanned.
    NoRule {
        /// Its name.
        image: String,
    },
    /// There is no such code repository, as far as Inspector knows.
    NoProject {
        /// Its name.
        project: String,
    },
    /// ECR says that it was not scanned.
    RegistryRefused {
        /// What was not.
        of: String,
        /// ECR's word for why.
        status: String,
        /// Its words for why.
        description: Option<String>,
    },
    /// Inspector does not scan it, or not any more.
    NotScanned {
        /// What it does not scan.
        of: String,
        /// What kind of resource that is, such as `AWS_ECR_CONTAINER_IMAGE`.
        kind: String,
        /// The kind of scan: `PACKAGE`, `CODE` or `NETWORK`.
        scan: String,
        /// Inspector's word for why.
        reason: String,
    },
    /// It is not scanned yet.
    NotYet {
        /// What is not.
        of: String,
        /// Inspector's word for why; none if it does not know of it.
        reason: Option<String>,
        /// For how long that was waited for, in seconds.
        waited: i64,
    },
    /// Another commit was scanned.
    OtherCommit {
        /// The code repository.
        project: String,
        /// The commit to judge.
        commit: String,
        /// The one that was scanned, if any was.
        scanned: Option<String>,
        /// For how long that was waited for, in seconds.
        waited: i64,
    },
    /// It was scanned so shortly before that findings may be on their way.
    NotSettled {
        /// What was scanned.
        of: String,
        /// When.
        at: Timestamp,
        /// For how long that was waited for, in seconds.
        waited: i64,
    },
    /// No finding is listed, and nothing says that there was a scan.
    NothingListed {
        /// The files.
        files: String,
    },
    /// A listing of what is scanned has nothing.
    NothingCovered {
        /// The file.
        file: String,
    },
    /// There are findings of something of which nothing says that it is scanned.
    NotCovered {
        /// What.
        of: String,
    },
    /// An SBOM is of an operating system that gets no advisories any more, and nothing else was found that closes the gate.
    EndOfLife {
        /// The system.
        system: String,
    },
    /// A listing in a file is not whole.
    Truncated {
        /// The file.
        file: String,
    },
    /// Something that should be a finding cannot be read.
    Unread {
        /// Where it stands.
        origin: String,
        /// What is wrong with it.
        why: String,
    },
    /// A file is no answer of `ScanSbom`, or none to rely on.
    NotAScan {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// The ledger is unsound, which has been said.
    UnsoundLedger {
        /// The file.
        file: String,
        /// How many problems it has.
        problems: usize,
    },
    /// A call or a file failed.
    Failed {
        /// What, and why.
        why: String,
        /// What to do about it.
        todo: String,
    },
}
