//! What is due soon or overdue, told to those whose it is, a message an owner a day at most.

use std::collections::HashMap;

use jiff::Timestamp;

use super::{Course, Ended, Noting, Review, Undone, tell::Told};
use crate::{
    app::{
        attempt::Observation,
        failure::{CallFailed, Failure, chain},
        ports::{Alerts, Exceptions, Inspector, Publisher, Records, RoundLog, Summaries, Sweep},
        survey,
    },
    domain::{
        record::{AlertReason, Audience, Record, Transition},
        reminders::{self, Reminder, Reminders},
        round::{self, Begun, Part, day},
    },
    render::message::{self, Message},
};

/// How many findings a message looks at one by one, the most urgent, of an owner who has it alone.
const LOOKED_AT: usize = 200;
/// The same of each who shares one, and of how many of these.
const LOOKED_AT_OF_EACH: usize = 20;
const OWNERS_LOOKED_AT: usize = 50;

impl<S, P, I, A> Review<S, P, I, A>
where
    S: Records + Sweep + Alerts + Summaries + RoundLog + Exceptions,
    P: Publisher,
    I: Inspector,
{
    /// Tells owners what is due soon or overdue and what exceptions end, and remembers it in the rows.
    pub(super) async fn reminders(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let now = course.now();
        for what in ["messages", "overdue", "dueSoon", "exceptions"] {
            course.progress(Part::Reminders).count(what, 0);
        }
        if let Some(left) = course.rounds.reminding_left(now).cloned()
            && let Ended::OutOfTime = self.settle_reminders(&left, course).await?
        {
            return Ok(Ended::OutOfTime);
        }
        if !self.triage.config.notify || course.rounds.reminding(now).is_done {
            return Ok(Ended::Done);
        }
        let reach = self.triage.reach(&self.triage.ask_listeners(course.attempt()).await);
        if reach.now.is_empty() {
            return Ok(Ended::Done);
        }
        // All of the day are as of one moment, whenever they are told.
        let reminding = course.rounds.reminding(now).clone();
        let Some(reminders) = self.gather(&reminding, course).await? else {
            return Ok(Ended::OutOfTime);
        };
        let mut failed = None;
        for reminder in reminders.messages(&reminding.messages) {
            match self.remind(&reminder, &reach.now, reminding.at, course).await? {
                Reminding::Done => {}
                Reminding::OutOfTime => return Ok(Ended::OutOfTime),
                Reminding::Failed(failure) => failed = Some(failure),
            }
        }
        if let Some(failure) = failed {
            return Err(Undone::Failed(Failure::Publisher(failure)));
        }
        course.rounds.reminding(now).is_done = true;
        Ok(Ended::Done)
    }

    /// Has findings know of messages of an earlier day that some have had: nobody is told twice because another could not be
    /// told at all.
    async fn settle_reminders(
        &self,
        left: &round::Reminding,
        course: &mut Course<'_, S>,
    ) -> Result<Ended, Undone> {
        let Some(reminders) = self.gather(left, course).await? else {
            return Ok(Ended::OutOfTime);
        };
        let has_told = |reminder: &Reminder| {
            left.messages.get(&reminder.name).is_some_and(|begun| !begun.told.is_empty())
        };
        for reminder in reminders.messages(&left.messages).iter().filter(|one| has_told(one)) {
            if let Ended::OutOfTime = self.note_reminded(reminder, left.at, course).await? {
                return Ok(Ended::OutOfTime);
            }
        }
        if let Some(reminding) = &mut course.rounds.reminding {
            reminding.is_done = true;
        }
        Ok(Ended::Done)
    }

    /// Has the findings of a message know that people were reminded of them at `at`.
    async fn note_reminded(
        &self,
        reminder: &Reminder,
        at: Timestamp,
        course: &mut Course<'_, S>,
    ) -> Result<Ended, Undone> {
        let arns = reminder.sections.iter().flat_map(|section| &section.findings);
        let arns: Vec<String> = arns.map(|due| due.arn.clone()).collect();
        let policy = &self.triage.config.policy;
        let written = |row: &Record, _| Some((row.reminded_at(policy, at)?, Transition::Reminded));
        self.rewrite(arns, Part::Reminders, written, course).await
    }

    /// What there is to say on that day; none if there was no time to look at everything.
    async fn gather(
        &self,
        of: &round::Reminding,
        course: &Course<'_, S>,
    ) -> Result<Option<Reminders>, Undone> {
        let store = &self.triage.store;
        let config = &self.triage.config;
        let mut reminders = Reminders::new(of.at, config.style.owner_tags.clone());
        let each = |record: Record| reminders.add(&record, &config.policy);
        if !store.each_open(course.limit(), each).await.map_err(Failure::Store)? {
            return Ok(None);
        }
        let exceptions = survey::exceptions(store).await.map_err(Failure::Store)?;
        reminders.add_notices(reminders::notices(&exceptions, of.since, day(of.at)));
        Ok(Some(reminders))
    }

    /// Tells a message of the day to those of `audiences` who have not had it, and has its findings know that.
    async fn remind(
        &self,
        reminder: &Reminder,
        audiences: &[Audience],
        now: Timestamp,
        course: &mut Course<'_, S>,
    ) -> Result<Reminding, Undone> {
        let has_had = |course: &mut Course<'_, S>, audience: &Audience| {
            let begun = course.rounds.reminding(now).messages.get(&reminder.name);
            begun.is_some_and(|begun| begun.told.contains(audience))
        };
        let missing: Vec<Audience> =
            audiences.iter().copied().filter(|audience| !has_had(course, audience)).collect();
        if !missing.is_empty() {
            let looked_at = self.look_at(reminder, now).await?;
            let Some(lease) = self.take_right_to_tell(course).await? else {
                return Ok(Reminding::OutOfTime);
            };
            let told = self.tell_reminder(reminder, &looked_at, &missing, now, course).await;
            self.give_right_to_tell_back(&lease, course.attempt()).await;
            match told? {
                Reminding::Done => {}
                other => return Ok(other),
            }
        }
        if let Ended::OutOfTime = self.note_reminded(reminder, now, course).await? {
            return Ok(Reminding::OutOfTime);
        }
        begun(course, reminder, now).is_done = true;
        if !course.note(Noting::GoOn).await? {
            return Err(Undone::HeldByOther);
        }
        let count = |why| reminder.sections.iter().map(|section| section.count(why)).sum();
        let notices = reminder.sections.iter().map(|section| section.notices.len()).sum();
        let progress = course.progress(Part::Reminders);
        progress.count("messages", 1);
        progress.count("overdue", count(AlertReason::Overdue));
        progress.count("dueSoon", count(AlertReason::DueSoon));
        progress.count("exceptions", notices);
        Ok(Reminding::Done)
    }

    /// The most urgent findings of each section, as their rows are by now.
    async fn look_at(&self, reminder: &Reminder, now: Timestamp) -> Result<Vec<Vec<News>>, Undone> {
        let each = if reminder.sections.len() == 1 { LOOKED_AT } else { LOOKED_AT_OF_EACH };
        let policy = &self.triage.config.policy;
        let mut looked_at = Vec::with_capacity(reminder.sections.len());
        for section in reminder.sections.iter().take(OWNERS_LOOKED_AT) {
            let arns: Vec<&str> =
                section.findings.iter().take(each).map(|due| due.arn.as_str()).collect();
            let rows = self.triage.store.read_all(&arns).await.map_err(Failure::Store)?;
            let mut rows: HashMap<String, Record> =
                rows.into_iter().map(|row| (row.finding.arn.clone(), row)).collect();
            // In their order, without what has changed meanwhile.
            let rows = arns.iter().filter_map(|arn| {
                let row = rows.remove(*arn)?;
                let why = row.reminder(policy, now)?;
                Some((row, why))
            });
            looked_at.push(rows.collect());
        }
        looked_at.resize_with(reminder.sections.len(), Vec::new);
        Ok(looked_at)
    }

    /// Tells each of `audiences`, and writes down who has heard, one by one.
    async fn tell_reminder(
        &self,
        reminder: &Reminder,
        looked_at: &[Vec<News>],
        audiences: &[Audience],
        now: Timestamp,
        course: &mut Course<'_, S>,
    ) -> Result<Reminding, Undone> {
        let mut failed = None;
        for &audience in audiences {
            let may_be_told = begun(course, reminder, now).begin(audience);
            if !course.note(Noting::GoOn).await? {
                return Err(Undone::HeldByOther);
            }
            let attempt = course.attempt();
            let told = if may_be_told {
                let messages = self.reminder_for(audience, reminder, looked_at, now);
                match self.publish_all(audience, &messages, attempt).await {
                    Told::Refused(refused) => {
                        let who = audience.as_str();
                        let what = format!("{who} gets a plain reminder: one was refused");
                        let reason = chain(&refused);
                        (attempt.observe)(Observation::Warning { what, reason });
                        let plain = plain(looked_at, &self.triage.config.style);
                        let messages = self.reminder_for(audience, reminder, &plain, now);
                        self.publish_all(audience, &messages, attempt).await
                    }
                    told => told,
                }
            } else {
                let who = audience.as_str();
                let what =
                    format!("{who} may not have had a reminder over which two attempts died");
                let reason = reminder.name.clone();
                (attempt.observe)(Observation::Warning { what, reason });
                Told::Yes
            };
            let begun = begun(course, reminder, now);
            match told {
                Told::Yes => begun.told.push(audience),
                Told::OutOfTime => {
                    begun.failed(audience);
                    return Ok(Reminding::OutOfTime);
                }
                Told::Refused(failure) | Told::Failed(failure) => {
                    begun.failed(audience);
                    let reason = chain(&failure);
                    (attempt.observe)(Observation::AudienceFailed { audience, reason });
                    failed = Some(failure);
                }
            }
            if !course.note(Noting::GoOn).await? {
                return Err(Undone::HeldByOther);
            }
        }
        Ok(failed.map_or(Reminding::Done, Reminding::Failed))
    }

    fn reminder_for(
        &self,
        audience: Audience,
        reminder: &Reminder,
        looked_at: &[Vec<News>],
        now: Timestamp,
    ) -> Vec<Message> {
        let news: Vec<Vec<(&Record, AlertReason)>> = looked_at
            .iter()
            .map(|rows| rows.iter().map(|(record, why)| (record, *why)).collect())
            .collect();
        let sections: Vec<message::Reminded<'_>> = reminder
            .sections
            .iter()
            .zip(&news)
            .map(|(section, most_urgent)| message::Reminded { section, most_urgent })
            .collect();
        message::reminder(audience, &sections, now, &self.triage.config.style)
    }
}

/// A finding and why somebody is reminded of it.
type News = (Record, AlertReason);

/// The same findings, reduced to what SNS takes.
fn plain(looked_at: &[Vec<News>], style: &crate::render::Style) -> Vec<Vec<News>> {
    let plain = |rows: &Vec<News>| {
        let records: Vec<&Record> = rows.iter().map(|(record, _)| record).collect();
        let plain = message::plain_records(&records, style).into_iter();
        plain.zip(rows).map(|(record, (_, why))| (record, *why)).collect()
    };
    looked_at.iter().map(plain).collect()
}

/// How far a message of the day has come.
fn begun<'c, S>(
    course: &'c mut Course<'_, S>,
    reminder: &Reminder,
    now: Timestamp,
) -> &'c mut Begun {
    course.rounds.reminding(now).messages.entry(reminder.name.clone()).or_default()
}

/// What came of a message.
enum Reminding {
    Done,
    OutOfTime,
    Failed(CallFailed),
}
