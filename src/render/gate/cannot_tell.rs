//! Why there is no judgement, in words.

use super::{
    quote::{Quote, plain},
    words::SAID,
};
use crate::{
    domain::gate::CannotTell,
    render::{
        view::moment,
        words::{self, number_of},
    },
};

/// Why there is no judgement, and what to do: two harmless lines.
pub fn cannot_tell(why: &CannotTell) -> (String, String) {
    quoted(why, plain)
}

/// The same with what strangers wrote as a format takes it.
#[expect(clippy::too_many_lines, reason = "a line or two for each cause")]
pub fn quoted(why: &CannotTell, quote: Quote) -> (String, String) {
    let name = |text: &str| quote(text, 200);
    let (why, todo): (String, &str) = match why {
        CannotTell::NoRepository { repository, place } => (
            format!("there is no repository {} in {}", name(repository), name(place)),
            "see that name, account and Region are meant; push the image first",
        ),
        CannotTell::NoImage { image, place } => (
            format!("there is no image {} in {}", name(image), name(place)),
            "see that tag or digest are meant; push the image first",
        ),
        CannotTell::Archived { image } => (
            format!("{} is in the archive, where nothing is scanned", name(image)),
            "restore it in ECR, or judge an image that is in use",
        ),
        CannotTell::IllManifest { image, why } => (
            format!("the manifest of {} cannot be read: {}", name(image), quote(why, SAID)),
            "push it anew as an image, or an index of images, of Docker or OCI",
        ),
        CannotTell::NotEnhanced { image } => (
            format!(
                "the registry of {} scans with ECR's basic scanning, and Inspector looks at none of its images",
                name(image)
            ),
            "set enhanced scanning in ECR's settings, and switch Inspector on for ECR",
        ),
        CannotTell::NoRule { image } => (
            format!("no scanning rule of the registry has {} scanned", name(image)),
            "add a rule for its repository to enhanced scanning in ECR's settings",
        ),
        CannotTell::NoProject { project } => (
            format!("Inspector knows no code repository {}", name(project)),
            "see that name, account and Region are meant; connect the repository to Inspector",
        ),
        CannotTell::RegistryRefused { of, status, description } => {
            let description = description.as_deref().filter(|text| !text.is_empty());
            let description = description.map(|text| format!(": {}", quote(text, SAID)));
            let said = description.unwrap_or_default();
            (
                format!("ECR has not scanned {} ({}{said})", name(of), quote(status, 60)),
                registry_todo(status),
            )
        }
        CannotTell::NotScanned { of, kind, scan, reason } => {
            let words = words::coverage::resource(kind, scan, reason);
            (
                format!(
                    "Inspector does not scan {}: {} ({})",
                    name(of),
                    words.meaning,
                    quote(reason, 60)
                ),
                words.todo,
            )
        }
        CannotTell::NotYet { of, reason, waited } => {
            (not_yet(of, reason.as_deref(), quote) + &after(*waited), LONGER)
        }
        CannotTell::OtherCommit { project, commit, scanned, waited } => {
            let scanned = match scanned {
                Some(scanned) => format!("its latest scan is of {}", quote(scanned, 64)),
                None => "it has no scan".to_owned(),
            };
            (
                format!(
                    "{} of {} is not scanned, {scanned}{}",
                    quote(commit, 64),
                    name(project),
                    after(*waited)
                ),
                "see that the commit is pushed to the branch that Inspector scans; wait longer with --wait MINUTES",
            )
        }
        CannotTell::NotSettled { of, at, waited } => (
            format!(
                "{} was scanned so shortly before ({}) that findings may be on their way{}",
                name(of),
                moment(*at),
                after(*waited),
            ),
            LONGER,
        ),
        CannotTell::NothingListed { files } => (
            format!(
                "there are no open findings in {}, and nothing says that there was a scan",
                name(files)
            ),
            "say by --coverage what was scanned, or judge by --image or --scan, which know of the scan",
        ),
        CannotTell::NothingCovered { file } => (
            format!("{} has no resources, so nothing says that there was a scan", name(file)),
            "see that the filter of aws inspector2 list-coverage names what is to be judged, and that Inspector knows of it",
        ),
        CannotTell::NotCovered { of } => (
            format!("there are findings of {}, of which --coverage says nothing", name(of)),
            "give the coverage of all that the findings are of, or findings of what is covered alone",
        ),
        CannotTell::EndOfLife { system } => (
            format!(
                "{} gets no advisories any more, so nothing found in it means nothing",
                name(system)
            ),
            "move to a system that is supported",
        ),
        CannotTell::Truncated { file } => (
            format!("{} has only a part of the findings: it names a next token", name(file)),
            "list all pages, as `aws inspector2 list-findings` does without --max-items and --no-paginate",
        ),
        CannotTell::Unread { origin, why } => (
            format!("{} is no finding that can be read: {}", name(origin), quote(why, SAID)),
            "see that the file is what Inspector gave, and whole",
        ),
        CannotTell::NotAScan { file, why } => (
            format!("{} is no answer of ScanSbom to rely on: {}", name(file), quote(why, SAID)),
            "write the answer of `aws inspector-scan scan-sbom` into the file as it is",
        ),
        CannotTell::UnsoundLedger { file, problems } => (
            format!("the ledger {} has {}", name(file), number_of(*problems, "problem")),
            "mend what `inspector-triage ledger check` says",
        ),
        CannotTell::Failed { why, todo } => {
            return (quote(why, 600), quote(todo, SAID));
        }
    };
    (why, todo.to_owned())
}

const LONGER: &str = "run it again later; --wait MINUTES waits longer, where services are asked";

fn after(waited: i64) -> String {
    match waited {
        ..=0 => String::new(),
        1..120 => format!(", after {waited} s"),
        _ => format!(", after {} minutes", waited / 60),
    }
}

fn not_yet(of: &str, reason: Option<&str>, quote: Quote) -> String {
    let of = quote(of, 200);
    match reason {
        None => format!("Inspector does not know {of} yet"),
        Some("SUCCESSFUL") => format!("{of} was last scanned before it was pushed"),
        Some(reason) => {
            let meaning = words::coverage::resource("", "", reason).meaning;
            format!("{of} is not scanned yet: {meaning} ({})", quote(reason, 60))
        }
    }
}

/// What to do about a status of ECR's that is none of a scan:
/// <https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_ImageScanStatus.html>.
fn registry_todo(status: &str) -> &'static str {
    match status {
        "UNSUPPORTED_IMAGE" => {
            "build it on an operating system that Inspector supports, as a kind of image that it takes"
        }
        "SCAN_ELIGIBILITY_EXPIRED" => "push it anew, or lengthen the re-scan duration in Inspector",
        "FINDINGS_UNAVAILABLE" | "FAILED" => "push it anew; then ask AWS Support",
        "LIMIT_EXCEEDED" => "wait a day, or ask AWS for a higher quota",
        "IMAGE_ARCHIVED" => "restore it in ECR, or judge an image that is in use",
        "PENDING" | "IN_PROGRESS" => LONGER,
        _ => "see ECR's page on the image, and Inspector's on its coverage",
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::render::gate::quote::is_line;

    #[test]
    fn each_cause_has_words_and_something_to_do() {
        let hostile = || "x\n::error::##[error]\u{1b}[31m https://a.example".to_owned();
        let at = Timestamp::UNIX_EPOCH;
        let not_scanned = |reason: &str| CannotTell::NotScanned {
            of: hostile(),
            kind: "AWS_ECR_CONTAINER_IMAGE".to_owned(),
            scan: "PACKAGE".to_owned(),
            reason: reason.to_owned(),
        };
        let causes = [
            CannotTell::NoRepository { repository: hostile(), place: hostile() },
            CannotTell::NoImage { image: hostile(), place: hostile() },
            CannotTell::Archived { image: hostile() },
            CannotTell::IllManifest { image: hostile(), why: hostile() },
            CannotTell::NotEnhanced { image: hostile() },
            CannotTell::NoRule { image: hostile() },
            CannotTell::NoProject { project: hostile() },
            CannotTell::RegistryRefused {
                of: hostile(),
                status: hostile(),
                description: Some(hostile()),
            },
            not_scanned("UNSUPPORTED_OS"),
            not_scanned(&hostile()),
            CannotTell::NotYet { of: hostile(), reason: None, waited: 0 },
            CannotTell::NotYet { of: hostile(), reason: Some(hostile()), waited: 90 },
            CannotTell::NotYet {
                of: hostile(),
                reason: Some("PENDING_INITIAL_SCAN".to_owned()),
                waited: 600,
            },
            CannotTell::OtherCommit {
                project: hostile(),
                commit: hostile(),
                scanned: Some(hostile()),
                waited: 1,
            },
            CannotTell::NotSettled { of: hostile(), at, waited: 1 },
            CannotTell::NothingListed { files: hostile() },
            CannotTell::NothingCovered { file: hostile() },
            CannotTell::NotCovered { of: hostile() },
            CannotTell::EndOfLife { system: hostile() },
            CannotTell::Truncated { file: hostile() },
            CannotTell::Unread { origin: hostile(), why: hostile() },
            CannotTell::NotAScan { file: hostile(), why: hostile() },
            CannotTell::UnsoundLedger { file: hostile(), problems: 1 },
            CannotTell::Failed { why: hostile(), todo: hostile() },
        ];
        for cause in causes {
            let (why, todo) = cannot_tell(&cause);
            assert!(is_line(&why) && is_line(&todo), "{cause:?}: {why} / {todo}");
        }
        let (why, todo) = cannot_tell(&not_scanned("UNSUPPORTED_OS"));
        assert!(why.ends_with("the operating system is not supported (UNSUPPORTED_OS)"), "{why}");
        assert_eq!(todo, "move to one that is");
    }

    #[test]
    fn each_status_of_the_registry_says_what_to_do() {
        let todo = |status: &str| {
            let (of, status) = ("crm/web:1.4".to_owned(), status.to_owned());
            cannot_tell(&CannotTell::RegistryRefused { of, status, description: None }).1
        };
        let statuses = [
            "UNSUPPORTED_IMAGE",
            "SCAN_ELIGIBILITY_EXPIRED",
            "FINDINGS_UNAVAILABLE",
            "LIMIT_EXCEEDED",
            "IMAGE_ARCHIVED",
            "PENDING",
        ];
        for status in statuses {
            assert_ne!(todo(status), todo("SOMETHING_NEW"), "{status}");
        }
    }
}
