//! A review that fits into a message.

use super::{Others, Owner, Point, Review};
use crate::domain::text;

/// How many entries a list has at first that is to be shortened.
const MOST: usize = 500;
/// How many weeks a message shows.
const WEEKS: usize = 8;

impl Review {
    /// The same with so much less in its lists that it takes at most `bytes` as JSON, and each name a line. The numbers stay;
    /// owners that are left out are summed up.
    #[must_use]
    pub fn within(&self, bytes: usize) -> Self {
        let mut most = MOST;
        loop {
            let review = self.with_at_most(most);
            // Strings and numbers under fixed keys: this cannot fail.
            let size = serde_json::to_vec(&review).map_or(0, |json| json.len());
            if size <= bytes || most == 0 {
                return review;
            }
            most /= 2;
        }
    }

    fn with_at_most(&self, most: usize) -> Self {
        let mut review = self.clone();
        let rest: Vec<Owner> = review.owners.split_off(most.min(review.owners.len()));
        if !rest.is_empty() {
            review.other_owners = Some(Others {
                owners: rest.len().try_into().unwrap_or(u64::MAX),
                open: rest.iter().map(|owner| owner.open).sum(),
                overdue: rest.iter().map(|owner| owner.overdue).sum(),
            });
        }
        for thing in &mut review.first_things {
            thing.owners.truncate(most);
        }
        review.exceptions.attention.truncate(most);
        let firsts = review.owners.iter_mut().filter_map(|owner| owner.first_thing.as_mut());
        let packages = firsts.map(|first| (&mut first.package, &mut first.version));
        let things = review.first_things.iter_mut();
        let packages = packages.chain(things.map(|one| (&mut one.package, &mut one.version)));
        for (package, version) in packages {
            *package = text::line(package);
            *version = version.as_deref().map(text::line);
        }
        for owner in &mut review.owners {
            owner.owner = owner.owner.as_deref().map(text::line);
        }
        for owner in review.first_things.iter_mut().flat_map(|thing| &mut thing.owners) {
            *owner = text::line(owner);
        }
        for one in &mut review.exceptions.attention {
            (one.id, one.owner) = (text::line(&one.id), text::line(&one.owner));
        }
        let reasons = std::mem::take(&mut review.coverage.by_reason).into_iter();
        review.coverage.by_reason =
            reasons.map(|(reason, number)| (text::line(&reason), number)).collect();
        review.accounts = review.accounts.into_iter().take(most).collect();
        review.coverage.off = review.coverage.off.into_iter().take(most).collect();
        review
    }

    /// The trend week by week, the earliest first: today, and the same day of the weeks before, or the last day before it in
    /// that week that has figures. None for a week without any.
    pub fn weeks(&self) -> Vec<Option<&Point>> {
        let Some(today) = self.trend.last().map(|point| point.date) else { return Vec::new() };
        let mut weeks: Vec<Option<&Point>> = Vec::new();
        for point in self.trend.iter().rev() {
            let week = usize::try_from((today - point.date).get_days() / 7).unwrap_or(WEEKS);
            if weeks.len() <= week && week < WEEKS {
                weeks.resize(week, None);
                weeks.push(Some(point));
            }
        }
        weeks.reverse();
        weeks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        figures::Counts,
        finding::OwnerTags,
        review::{Beside, Reviewing},
    };

    fn empty() -> Review {
        let now = "2026-11-23T07:00:00Z".parse().unwrap();
        Reviewing::new(now, None, OwnerTags::default()).finish(Beside::default())
    }

    #[test]
    fn what_does_not_fit_is_summed_up_and_no_number_changes() {
        let mut review = empty();
        review.owners = (0..3_000)
            .map(|number| Owner {
                owner: Some(format!("{number} {}", "x".repeat(200))),
                open: 3,
                overdue: 1,
                first_thing: None,
            })
            .collect();
        let within = review.within(100_000);
        assert!(serde_json::to_vec(&within).unwrap().len() <= 100_000);
        let others = within.other_owners.unwrap();
        let sum = |of: fn(&Owner) -> u64| within.owners.iter().map(of).sum::<u64>();
        assert_eq!(within.owners.len() as u64 + others.owners, 3_000);
        assert_eq!(sum(|owner| owner.open) + others.open, 9_000);
        assert_eq!(sum(|owner| owner.overdue) + others.overdue, 3_000);
        let small = empty();
        assert_eq!(small.within(100_000), small);
    }

    #[test]
    fn the_weeks_are_those_that_end_today_even_where_a_day_is_missing() {
        let mut review = empty();
        let point = |date: &str, open| Point {
            date: date.parse().unwrap(),
            open,
            overdue: 0,
            by_priority: Counts::default(),
        };
        review.trend = vec![
            point("2026-09-28", 1), // the week that is out of sight
            point("2026-10-05", 2),
            point("2026-11-08", 3), // in place of the 9th
            point("2026-11-15", 4),
            point("2026-11-16", 5),
            point("2026-11-17", 6),
            point("2026-11-23", 7),
        ];
        let weeks: Vec<_> = review.weeks().iter().map(|week| week.map(|week| week.open)).collect();
        let none = None;
        assert_eq!(weeks, [Some(2), none, none, none, none, Some(3), Some(5), Some(7)]);
    }
}
