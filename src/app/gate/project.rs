//! A code repository that Inspector scans.

use super::{Asking, Found, Progress, SCAN_PAUSE, Unknown};
use crate::{
    app::ports::{Clock, Images, Inspector, Which},
    domain::gate::{CannotTell, Scan, ScanState, Subject},
};

impl<I: Inspector + Sync, R: Images + Sync, C: Clock + Sync> Asking<'_, I, R, C> {
    /// What was found in a code repository, called as Inspector calls its project: in `commit`, or in the one that was
    /// scanned last. Inspector scans the default branch alone.
    ///
    /// # Errors
    /// Inspector does not scan it, or has not scanned that commit within the time that there is, or a call failed.
    pub async fn code_repository(
        &self,
        project: &str,
        commit: Option<&str>,
    ) -> Result<Found, Unknown> {
        let (at, commit) = self.commit_scanned(project, commit).await?;
        let which = || Which::OfProject(project.to_owned());
        let findings = self.settled(project, at, async || self.listed(which()).await).await?;
        let scan = Scan { of: commit, platform: None, at };
        let name = project.to_owned();
        let subject = Subject { stable_name: name.clone(), name, scans: vec![scan] };
        Ok(Found { subject, findings, notes: Vec::new() })
    }

    /// When the code repository was scanned, and which commit.
    async fn commit_scanned(
        &self,
        project: &str,
        commit: Option<&str>,
    ) -> Result<(jiff::Timestamp, String), Unknown> {
        loop {
            let rows = self.pages("a resource", async |token, limit| {
                self.inspector.coverage_of_project(project, token, limit).await
            });
            let rows = rows.await?;
            let Some(first) = rows.first() else {
                return Err(CannotTell::NoProject { project: project.to_owned() }.into());
            };
            let (of, kind) = (project.to_owned(), first.kind.clone());
            let scanned = rows.iter().find_map(|row| row.commit.clone());
            let is_meant = |scanned: &Option<String>| match (commit, scanned) {
                (None, _) => true,
                (Some(commit), Some(scanned)) => {
                    scanned.to_ascii_lowercase().starts_with(&commit.to_ascii_lowercase())
                }
                (Some(_), None) => false,
            };
            let reason = match ScanState::of_resource(&rows, None) {
                Some(ScanState::Scanned { at, .. }) => {
                    if rows.iter().all(|row| is_meant(&row.commit)) {
                        return Ok((at, scanned.unwrap_or_default()));
                    }
                    None
                }
                Some(ScanState::NotScanned { reason, scan }) => {
                    return Err(CannotTell::NotScanned { of, kind, scan, reason }.into());
                }
                Some(ScanState::Waiting { reason }) => Some(reason),
                None => None,
            };
            let progress = Progress::Scan { of: project, reason: reason.as_deref() };
            let not_yet = |waited| match (&reason, commit) {
                (None, Some(commit)) => {
                    let commit = commit.to_owned();
                    CannotTell::OtherCommit {
                        project: of.clone(),
                        commit,
                        scanned: scanned.clone(),
                        waited,
                    }
                }
                _ => CannotTell::NotYet { of: of.clone(), reason: reason.clone(), waited },
            };
            self.waiting.pause(SCAN_PAUSE, progress, not_yet).await?;
        }
    }
}
