//! The weekly review: made once from one snapshot, kept, and told to each audience.

use jiff::SignedDuration;

use super::{Course, Noting, Review, tell::Told};
use crate::{
    app::{
        attempt::Observation,
        failure::{Failure, chain},
        ports::{
            Archive, ArchivedObject, Exceptions, FigureLog, Gaps, Publisher, REVIEWS, RoundLog,
            Summaries, Sweep,
        },
        survey::Survey,
    },
    domain::{
        record::{Audience, Record},
        review,
        round::{Ask, Part},
    },
    render::{
        message,
        report::{Line, Report},
    },
};

/// How many bytes a review has at most that is kept and told, as JSON: SNS takes 256 KiB with all attributes, a row 400 KB.
const LARGEST: usize = 150_000;

/// For how long a review waits for its page to be kept.
const WAITS_FOR_PAGE: SignedDuration = SignedDuration::from_hours(3);
/// How many findings the page has at most, the most urgent: some 19 MB, which a browser still shows.
const LINES: usize = 100_000;

/// The lines of the page that is made, of which only the most urgent are kept.
#[derive(Default)]
struct Lines {
    lines: Vec<Line>,
    left_out: usize,
}

impl Lines {
    fn add(&mut self, line: Line) {
        self.lines.push(line);
        if self.lines.len() > LINES + LINES / 4 {
            self.cut();
        }
    }

    fn cut(&mut self) {
        self.lines.sort_by(Line::by_urgency);
        self.left_out += self.lines.len().saturating_sub(LINES);
        self.lines.truncate(LINES);
    }

    /// The lines in their order, and how many more there are.
    fn finish(mut self) -> (Vec<Line>, usize) {
        self.cut();
        (self.lines, self.left_out)
    }
}

/// What came of the weekly review.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weekly {
    /// There is nothing left to do for now.
    Done,
    /// It is not its turn yet: the next event goes on.
    Waits,
    /// Something could not be done, or there was no time for it. The next event goes on that does not only go on with a round.
    Left,
    /// Somebody else is at it by now.
    HeldByOther,
}

impl<S, P, I, A> Review<S, P, I, A>
where
    S: Sweep + Summaries + RoundLog + Gaps + Exceptions + FigureLog,
    P: Publisher,
    A: Archive,
{
    /// Makes the review that is owed, if one is, and tells it to those who have not had it and who listen.
    ///
    /// # Errors
    /// How far it came could not be written down.
    pub(super) async fn weekly(
        &self,
        ask: Ask,
        course: &mut Course<'_, S>,
    ) -> Result<Weekly, Failure> {
        let Some(owed) = course.rounds.owed_review() else { return Ok(Weekly::Done) };
        if course.rounds.is_review_waiting(course.now()) {
            return Ok(Weekly::Waits);
        }
        // What failed waits for the next event that does not only go on.
        if owed.failed_at.is_some() && ask.go_on {
            return Ok(Weekly::Done);
        }
        let done = self.make_and_tell(course).await;
        let (came_to, reason) = match done {
            Ok(came_to) => (came_to, None),
            Err(failure) => (Weekly::Left, Some(failure.chain())),
        };
        // What there was no time for waits as well, so that the round gets on meanwhile.
        let now = course.now();
        if let Some(owed) = course.rounds.weekly.as_mut().filter(|_| came_to == Weekly::Left) {
            owed.failed_at = Some(now);
        }
        if let Some(reason) = reason {
            (course.attempt().observe)(Observation::PartFailed { part: Part::Review, reason });
        }
        if came_to != Weekly::HeldByOther && !course.note(Noting::GoOn).await? {
            return Ok(Weekly::HeldByOther);
        }
        Ok(came_to)
    }

    async fn make_and_tell(&self, course: &mut Course<'_, S>) -> Result<Weekly, Failure> {
        let kept = course.rounds.weekly.as_ref().and_then(|weekly| weekly.as_of);
        let made = match kept {
            Some(as_of) => self.triage.store.review(as_of).await.map_err(Failure::Store)?,
            None => None,
        };
        let review = if let Some(review) = made {
            review
        } else {
            let Some(review) = self.make(course).await? else { return Ok(Weekly::Left) };
            if let Some(weekly) = &mut course.rounds.weekly {
                weekly.as_of = Some(review.figures.as_of);
            }
            review
        };
        if !course.note(Noting::GoOn).await? {
            return Ok(Weekly::HeldByOther);
        }
        let counts = [
            ("open", review.figures.open.total),
            ("overdue", review.figures.overdue.total),
            ("new", review.figures.new),
            ("ended", review.figures.ended.total),
        ];
        course.reviewed = counts.map(|(what, number)| (what.to_owned(), number)).into();
        if !self.triage.config.notify {
            return Ok(settle(course));
        }
        self.tell_review(&review, course).await
    }

    /// Takes the snapshot and keeps it, and its page where there is a place for that.
    async fn make(&self, course: &mut Course<'_, S>) -> Result<Option<review::Review>, Failure> {
        let store = &self.triage.store;
        let now = course.now();
        let owner_tags = self.triage.config.style.owner_tags.clone();
        let mut lines = Lines::default();
        let has_page = self.archive.place().is_some();
        let each = |record: &Record| {
            if has_page {
                lines.add(Line::new(record, &owner_tags, now));
            }
        };
        let since = course.rounds.review_since(now);
        let survey = Survey { now, since, owner_tags: owner_tags.clone() };
        let made = survey.of(store, course.limit(), each).await.map_err(Failure::Store)?;
        let Some(review) = made else { return Ok(None) };
        let page = self.keep_page(&review, lines, course).await?;
        let review = review.within(LARGEST);
        store.remember_review(&review).await.map_err(Failure::Store)?;
        if let Some(weekly) = &mut course.rounds.weekly {
            weekly.page = page;
        }
        Ok(Some(review))
    }

    /// Keeps the page and the review as data. Returns where the page is, if there is a place for it.
    async fn keep_page(
        &self,
        review: &review::Review,
        lines: Lines,
        course: &Course<'_, S>,
    ) -> Result<Option<String>, Failure> {
        let asked_at = course.rounds.weekly.as_ref().map(|weekly| weekly.asked_at);
        let (Some(place), Some(asked_at)) = (self.archive.place(), asked_at) else {
            return Ok(None);
        };
        // The same review once more takes the place of what an attempt has left that died.
        let name = format!("{REVIEWS}{}", asked_at.strftime("%Y-%m-%dT%H-%M-%SZ"));
        let (lines, left_out) = lines.finish();
        let source = format!("s3://{place}");
        let language = self.triage.config.style.language;
        let page = Report { review, lines: &lines, left_out, source: &source, language }.html();
        // Strings and numbers under fixed keys: this cannot fail.
        let data = serde_json::to_vec(review).unwrap_or_default();
        let page_key = format!("{name}.html");
        drop(lines);
        for (key, content_type, bytes) in [
            (&format!("{name}.json"), "application/json", data),
            (&page_key, "text/html; charset=utf-8", page.into_bytes()),
        ] {
            let kept = self.archive.keep(ArchivedObject { key, content_type, bytes }).await;
            if let Err(failed) = kept {
                if course.now().duration_since(asked_at) < WAITS_FOR_PAGE {
                    return Err(Failure::Archive(failed));
                }
                let what = "the review is told without its page".to_owned();
                let reason = chain(&failed);
                (course.attempt().observe)(Observation::Warning { what, reason });
                return Ok(None);
            }
        }
        Ok(Some(format!("{source}/{page_key}")))
    }

    async fn tell_review(
        &self,
        review: &review::Review,
        course: &mut Course<'_, S>,
    ) -> Result<Weekly, Failure> {
        let reach = self.triage.reach(&self.triage.ask_listeners(course.attempt()).await);
        let has_had = |course: &Course<'_, S>, audience: &Audience| {
            course.rounds.weekly.as_ref().is_some_and(|weekly| weekly.told.contains(audience))
        };
        let audiences: Vec<Audience> =
            reach.now.iter().copied().filter(|one| !has_had(course, one)).collect();
        let mut came_to = Weekly::Done;
        if !audiences.is_empty() {
            let Some(lease) = self.take_right_to_tell(course).await? else {
                return Ok(Weekly::Waits);
            };
            let told = self.tell_review_to(&audiences, review, course).await;
            self.give_right_to_tell_back(&lease, course.attempt()).await;
            came_to = told?;
        }
        let is_told = !reach.all.is_empty() && reach.all.iter().all(|one| has_had(course, one));
        if is_told {
            return Ok(settle(course));
        }
        // Whoever does not listen yet is asked about again with the next hourly event.
        let now = course.now();
        if let Some(weekly) =
            course.rounds.weekly.as_mut().filter(|_| came_to != Weekly::HeldByOther)
        {
            weekly.failed_at = Some(now);
        }
        Ok(came_to)
    }

    async fn tell_review_to(
        &self,
        audiences: &[Audience],
        review: &review::Review,
        course: &mut Course<'_, S>,
    ) -> Result<Weekly, Failure> {
        let mut came_to = Weekly::Done;
        for &audience in audiences {
            let attempt = course.attempt();
            let style = &self.triage.config.style;
            let page = course.rounds.weekly.as_ref().and_then(|weekly| weekly.page.as_deref());
            let message = message::review(audience, review, page, attempt.now, style);
            match self.publish_all(audience, &[message], attempt).await {
                Told::Yes => {
                    if let Some(weekly) = &mut course.rounds.weekly {
                        weekly.told.push(audience);
                    }
                    let told = course.reviewed.entry("messages".to_owned()).or_default();
                    *told += 1;
                }
                Told::OutOfTime => return Ok(Weekly::Left),
                Told::Refused(failed) | Told::Failed(failed) => {
                    let reason = chain(&failed);
                    (attempt.observe)(Observation::AudienceFailed { audience, reason });
                    came_to = Weekly::Left;
                }
            }
            if !course.note(Noting::GoOn).await? {
                return Ok(Weekly::HeldByOther);
            }
        }
        Ok(came_to)
    }
}

/// Owes the review no more.
fn settle<S>(course: &mut Course<'_, S>) -> Weekly {
    if let Some(weekly) = &mut course.rounds.weekly {
        weekly.is_told = true;
    }
    Weekly::Done
}
