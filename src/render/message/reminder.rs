//! A reminder: what is overdue or due soon, and which exceptions end, with a section an owner.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{
    Language, Message, Style, attributes, chat, data, fit,
    review::by_class,
    subject,
    summary::{Shown, Summary, counted},
};
use crate::{
    domain::{
        figures::Counts,
        record::{AlertReason, Audience, Record},
        reminders::{NoticeReason, Section},
    },
    render::{
        view::safe,
        words::{
            self,
            lists::{english, japanese},
            wording,
        },
    },
};

/// How many problems an owner sees who has a message of their own, and one who shares it.
const ALONE: usize = 15;
const SHARED: usize = 3;
/// How many owners a message names that share it.
const OWNERS: usize = 20;
/// How many exceptions an owner sees who has a message of their own, and one who shares it.
const NOTICES_ALONE: usize = 20;
const NOTICES_SHARED: usize = 3;

/// Of what an owner is reminded, with the most urgent of the findings.
#[derive(Clone, Copy, Debug)]
pub struct Reminded<'a> {
    /// What it is all about.
    pub section: &'a Section,
    /// The most urgent findings of it.
    pub most_urgent: &'a [(&'a Record, AlertReason)],
}

/// A message as its template sees it.
struct ShownReminder<'a> {
    sections: Vec<ShownSection<'a>>,
    more: usize,
    /// Whether something of it is overdue, of which people hear again.
    comes_again: bool,
}

struct ShownSection<'a> {
    owner: Option<String>,
    all_overdue: u64,
    counts: &'a Counts,
    /// How many of these it is about.
    overdue: usize,
    soon: usize,
    /// How many it does not look at one by one.
    rest: usize,
    summary: Shown<'a>,
    notices: Vec<ShownNotice>,
    more_notices: usize,
}

struct ShownNotice {
    id: String,
    expires_at: String,
    why: NoticeReason,
}

wording! {
    fn in_words<'a>(reminder: &'a ShownReminder<'a>) by "en/reminder.txt", "ja/reminder.txt"
}

/// The messages of a reminder for `audience`, as of `at`: one, but for programs, if its findings do not fit into one.
pub fn reminder(
    audience: Audience,
    reminded: &[Reminded<'_>],
    at: Timestamp,
    style: &Style,
) -> Vec<Message> {
    let sections = || reminded.iter().map(|one| one.section);
    let owners = sections().filter_map(|section| section.owner.as_deref());
    let accounts = sections().flat_map(|section| section.accounts.iter().map(String::as_str));
    let attributes = attributes::told_to(AlertReason::Overdue.as_str(), owners, accounts);
    if audience == Audience::Data {
        return data::reminder(reminded, at, &attributes, style);
    }
    let title = title(reminded);
    let shown = if reminded.len() == 1 { ALONE } else { SHARED };
    let notices = notices(reminded);
    let news: Vec<Summary<'_>> =
        reminded.iter().map(|one| Summary::new(one.most_urgent, at)).collect();
    let together = reminded.iter().zip(&news).take(OWNERS);
    let all = ShownReminder {
        sections: together
            .map(|(one, news)| ShownSection::new(one, news, (shown, notices)))
            .collect(),
        more: reminded.len().saturating_sub(OWNERS),
        comes_again: sections().any(|section| section.count(AlertReason::Overdue) > 0),
    };
    let text = in_words(&all, style.language);
    if audience == Audience::Email {
        let subject = Some(subject::fitting(&title));
        return vec![Message { subject, body: fit(&text), attributes }];
    }
    let names: Vec<&str> =
        sections().map(|section| section.owner.as_deref().unwrap_or("nobody")).collect();
    let id = format!("overdue {} {at}", safe(&names.join(", "), 100));
    vec![chat::report(id, "reminders", "overdue", &title, &text, attributes)]
}

/// How many exceptions a message of these names of each owner.
pub fn notices(reminded: &[Reminded<'_>]) -> usize {
    if reminded.len() == 1 { NOTICES_ALONE } else { NOTICES_SHARED }
}

/// One line: whose, and how much.
fn title(reminded: &[Reminded<'_>]) -> String {
    let who = match reminded {
        [one] => match &one.section.owner {
            Some(owner) => safe(owner, 30),
            None => "no owner".to_owned(),
        },
        several => counted(several.len(), "owner"),
    };
    let overdue: u64 = reminded.iter().map(|one| one.section.overdue.total).sum();
    let soon: usize = reminded.iter().map(|one| one.section.count(AlertReason::DueSoon)).sum();
    let exceptions: usize = reminded.iter().map(|one| one.section.notices.len()).sum();
    let mut parts = Vec::new();
    if overdue > 0 {
        parts.push(format!("{} overdue", counted(overdue, "finding")));
    }
    if soon > 0 {
        parts.push(format!("{soon} due soon"));
    }
    if exceptions > 0 {
        parts.push(format!("{} to look at", counted(exceptions, "exception")));
    }
    let what = if overdue > 0 { "Overdue" } else { "Reminder" };
    format!("[{what}] {who}: {}", parts.join(", "))
}

impl<'a> ShownSection<'a> {
    /// Shows as many problems and exceptions at most.
    fn new(
        reminded: &Reminded<'a>,
        news: &'a Summary<'a>,
        (problems, notices): (usize, usize),
    ) -> Self {
        let Reminded { section, most_urgent } = reminded;
        let looked_at: BTreeSet<&str> =
            most_urgent.iter().map(|(record, _)| record.finding.arn.as_str()).collect();
        Self {
            owner: section.owner.as_deref().map(|owner| safe(owner, 80)),
            all_overdue: section.overdue.total,
            counts: &section.overdue,
            overdue: section.count(AlertReason::Overdue),
            soon: section.count(AlertReason::DueSoon),
            rest: section.findings.len().saturating_sub(looked_at.len()),
            summary: news.shown(problems),
            notices: section
                .notices
                .iter()
                .take(notices)
                .map(|notice| ShownNotice {
                    id: safe(&notice.id, 64),
                    expires_at: notice.expires_at.to_string(),
                    why: notice.why,
                })
                .collect(),
            more_notices: section.notices.len().saturating_sub(notices),
        }
    }
}
