//! The figures of the day.

use super::{Course, Ended, Review, Undone};
use crate::{
    app::{
        failure::Failure,
        ports::{FigureLog, RoundLog, Sweep},
    },
    domain::{
        figures::{Standing, Taking},
        record::{EndQueue, Record},
        round::{Part, PartState, day},
        rules::Rules,
    },
};

impl<S: Sweep + RoundLog + FigureLog, P, I, A> Review<S, P, I, A> {
    /// Counts what is open and what has ended since the day before, and remembers it.
    pub(super) async fn figures(&self, course: &mut Course<'_, S>) -> Result<Ended, Undone> {
        let store = &self.triage.store;
        let day = day(course.round().began_at);
        let before = store.figures_before(day).await.map_err(Failure::Store)?;
        let since = before.map(|before| before.as_of);
        let mut taking = Taking::new(course.now(), since);
        let limit = course.limit();
        let each = |record: Record| taking.add(&Standing::from(&record));
        let queues = if since.is_some() { &EndQueue::ALL[..] } else { &[] };
        let is_all = store.each_open_and_ended(queues, since, limit, each).await;
        if !is_all.map_err(Failure::Store)? {
            return Ok(Ended::OutOfTime);
        }
        let figures = taking.finish();
        let config = &self.triage.config;
        let rules = Rules::of(&config.policy, &self.scope, &config.style.owner_tags);
        let round = course.round();
        let is_done = |part: &Part| round.state(*part) == PartState::Done;
        let done: Vec<Part> = Part::ALL.into_iter().filter(is_done).collect();
        let remembering = store.remember_figures(day, &figures, &rules, &done);
        remembering.await.map_err(Failure::Store)?;
        let counts = [
            ("open", figures.open.total),
            ("excepted", figures.excepted),
            ("overdue", figures.overdue.total),
            ("new", figures.new),
            ("ended", figures.ended.total),
        ];
        course.progress(Part::Figures).counts =
            counts.map(|(what, number)| (what.to_owned(), number)).into();
        Ok(Ended::Done)
    }
}
