//! Rows that a part changes: read, changed and written, some at a time.

use jiff::Timestamp;

use super::{Course, Ended, ROWS_AT_ONCE, Review, Undone};
use crate::{
    app::{
        deliver::MAX_ATTEMPTS,
        failure::Failure,
        ports::{Alerts, Exceptions, Inspector, Publisher, Records, RoundLog, Sweep, WriteOutcome},
    },
    domain::{
        record::{Record, Transition},
        round::Part,
    },
};

impl<S, P, I, A> Review<S, P, I, A>
where
    S: Records + Sweep + Alerts + RoundLog + Exceptions,
    P: Publisher,
    I: Inspector,
{
    /// Writes what `change` makes of the rows of these findings at a time, and counts that as changed by `part`.
    pub(super) async fn rewrite(
        &self,
        mut arns: Vec<String>,
        part: Part,
        change: impl Fn(&Record, Timestamp) -> Option<(Record, Transition)>,
        course: &mut Course<'_, S>,
    ) -> Result<Ended, Undone> {
        // One whose due date moves while all are read may come twice.
        arns.sort();
        arns.dedup();
        for some in arns.chunks(ROWS_AT_ONCE) {
            if !self.rewrite_some(some, part, &change, course).await? {
                return Ok(Ended::OutOfTime);
            }
            if !course.note_in_time().await? {
                return Err(Undone::HeldByOther);
            }
        }
        Ok(Ended::Done)
    }

    /// The same for some of them, and again where others were faster. Returns whether all is written.
    async fn rewrite_some(
        &self,
        arns: &[String],
        part: Part,
        change: impl Fn(&Record, Timestamp) -> Option<(Record, Transition)>,
        course: &mut Course<'_, S>,
    ) -> Result<bool, Undone> {
        let arns: Vec<&str> = arns.iter().map(String::as_str).collect();
        for _ in 0..MAX_ATTEMPTS {
            if course.limit().is_over() {
                return Ok(false);
            }
            let rows = self.triage.store.read_all(&arns).await.map_err(Failure::Store)?;
            let now = course.now();
            let writes: Vec<(Record, Transition)> = rows
                .iter()
                .filter_map(|row| change(row, now))
                .map(|(row, what)| (row.rewritten(), what))
                .collect();
            let written = self.write_those(&writes, course).await?;
            course.progress(part).count("changed", written);
            if written == writes.len() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Writes rows, and returns how many of them were still the ones before. The others are as somebody else left them.
    pub(super) async fn write_those(
        &self,
        writes: &[(Record, Transition)],
        course: &Course<'_, S>,
    ) -> Result<usize, Undone> {
        let attempt = course.attempt();
        let mut written = 0;
        for outcome in self.write_each(writes, attempt).await {
            if outcome.map_err(Failure::Store)? == Some(WriteOutcome::Applied) {
                written += 1;
            }
        }
        Ok(written)
    }
}
