//! Charts as shapes, in the units of their drawing. Each has a table beside it that says the same.

use jiff::civil::Date;

use crate::domain::{
    figures::Counts,
    review::{DueIn, FirstThing, Point},
};

/// Where a chart that has axes draws: from here
pub const LEFT: u64 = 40;
/// to here on the right,
pub const RIGHT: u64 = 350;
/// from here
const TOP: u64 = 20;
/// to here below.
pub const BOTTOM: u64 = 150;
/// The width of the longest bar.
const BAR: u64 = 600;
/// The least height of a part that counts something, so that one of a thousand is seen.
const LEAST: u64 = 2;

/// A line across a chart, and the number that it stands for.
pub struct Tick {
    /// Where.
    pub y: u64,
    /// What for.
    pub number: u64,
}

/// The heights of numbers, from 0 to a round number that none exceeds.
struct Scale {
    top: u64,
    step: u64,
}

impl Scale {
    /// At most five lines: the step between them is 1, 2 or 5, with zeros.
    fn to(most: u64) -> Self {
        let mut step = 1_u64;
        while step.saturating_mul(4) < most {
            // From 1 to 2 and from 5 to 10, but from 2 to 5.
            let leading = step / 10_u64.pow(step.ilog10());
            step = if leading == 2 { step / 2 * 5 } else { step.saturating_mul(2) };
        }
        Self { top: most.div_ceil(step).max(1) * step, step }
    }

    fn height(&self, number: u64) -> u64 {
        // Wide enough for any number that is counted.
        let height = u128::from(number.min(self.top)) * u128::from(BOTTOM - TOP);
        u64::try_from(height / u128::from(self.top)).unwrap_or(BOTTOM - TOP)
    }

    fn ticks(&self) -> Vec<Tick> {
        let steps = 0..=self.top / self.step;
        let tick = |number| Tick { y: BOTTOM - self.height(number), number };
        steps.map(|steps| tick(steps * self.step)).collect()
    }
}

/// The classes, by the names of their patterns.
const CLASSES: [&str; 4] = ["p1", "p2", "p3", "p4"];

fn by_class(counts: &Counts) -> [u64; 4] {
    [counts.p1, counts.p2, counts.p3, counts.p4]
}

/// What was open, day by day: an area for each class, one on top of the other.
pub struct Trend {
    /// An area for each class, the most urgent at the bottom, as the points of a polygon.
    pub areas: [(&'static str, String); 4],
    /// What of it was overdue, as the points of a line.
    pub overdue: String,
    /// The lines across.
    pub ticks: Vec<Tick>,
    /// The day on the left.
    pub first: Date,
    /// The day on the right.
    pub last: Date,
}

/// The chart of the trend; none for a single day.
pub fn trend(points: &[Point]) -> Option<Trend> {
    let (first, last) = (points.first()?.date, points.last()?.date);
    let days = |to: Date| u64::try_from(first.duration_until(to).as_hours() / 24).unwrap_or(0);
    let width = Some(days(last)).filter(|width| *width > 0)?;
    let scale = Scale::to(points.iter().map(|point| point.open).max().unwrap_or_default());
    // A day without figures is a gap that the line crosses, as wide as any day.
    let line = |numbers: &[u64]| -> Vec<String> {
        let x = |point: &Point| LEFT + (RIGHT - LEFT) * days(point.date) / width;
        let at = |(point, number): (&Point, &u64)| {
            format!("{},{}", x(point), BOTTOM - scale.height(*number))
        };
        points.iter().zip(numbers).map(at).collect()
    };
    let mut below = vec![0; points.len()];
    let mut area = |class: usize| {
        let add = |(point, below): (&Point, &u64)| below + by_class(&point.by_priority)[class];
        let above: Vec<u64> = points.iter().zip(&below).map(add).collect();
        let mut outline = line(&above);
        outline.extend(line(&below).into_iter().rev());
        below = above;
        (CLASSES[class], outline.join(" "))
    };
    let areas = [area(0), area(1), area(2), area(3)];
    let overdue: Vec<u64> = points.iter().map(|point| point.overdue).collect();
    let overdue = line(&overdue).join(" ");
    Some(Trend { areas, overdue, ticks: scale.ticks(), first, last })
}

/// What is open by when it is due: a column for each span.
pub struct Wave {
    /// From what is longest overdue to what has no due date.
    pub columns: Vec<Column>,
    /// The lines across.
    pub ticks: Vec<Tick>,
}

/// A span as a column.
pub struct Column {
    /// Its left side.
    pub x: u64,
    /// Its middle.
    pub middle: u64,
    /// Where it ends above.
    pub top: u64,
    /// What of it there is, all together.
    pub total: u64,
    /// A part for each class that there is, the most urgent at the bottom.
    pub parts: Vec<Part>,
}

/// A class in a column.
pub struct Part {
    /// Which.
    pub class: &'static str,
    /// Its upper side.
    pub y: u64,
    /// How high it is.
    pub height: u64,
}

impl Column {
    /// Where now is: what is overdue ends there.
    pub const NOW: u64 = LEFT + Self::STEP * 3;
    /// Where what has a due date ends.
    pub const DATED: u64 = LEFT + Self::STEP * 6;
    /// How wide a column is.
    pub const WIDTH: u64 = 32;
    /// How far it is from the left side of one to that of the next.
    pub const STEP: u64 = (RIGHT - LEFT) / 7;

    fn new(place: u64, counts: &Counts, scale: &Scale) -> Self {
        let x = LEFT + Self::STEP * place + (Self::STEP - Self::WIDTH) / 2;
        let (mut below, mut top, mut parts) = (0, BOTTOM, Vec::new());
        let numbers = CLASSES.into_iter().zip(by_class(counts));
        for (class, number) in numbers.filter(|(_, number)| *number > 0) {
            let height = scale.height(below + number) - scale.height(below);
            let height = height.max(LEAST);
            below += number;
            top -= height;
            parts.push(Part { class, y: top, height });
        }
        Self { x, middle: x + Self::WIDTH / 2, top, total: counts.total, parts }
    }
}

/// The chart of what is due when.
pub fn wave(due_in: &DueIn) -> Wave {
    let spans = due_in.spans();
    let scale = Scale::to(spans.iter().map(|counts| counts.total).max().unwrap_or_default());
    let columns = (0..).zip(&spans).map(|(place, counts)| Column::new(place, counts, &scale));
    Wave { columns: columns.collect(), ticks: scale.ticks() }
}

/// An update as a bar: what of its findings is urgent, and what is not.
pub struct Bar<'a> {
    /// The update.
    pub thing: &'a FirstThing,
    /// The width of the part that is urgent.
    pub urgent: u64,
    /// The width of the rest.
    pub rest: u64,
}

/// The updates as bars, the longest as wide as the chart.
pub fn bars(things: &[FirstThing]) -> Vec<Bar<'_>> {
    let most = things.iter().map(|thing| thing.findings).max().unwrap_or_default().max(1);
    let width = |number: u64| BAR * number / most;
    things
        .iter()
        .map(|thing| Bar {
            thing,
            urgent: width(thing.urgent),
            rest: width(thing.findings.saturating_sub(thing.urgent)),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_with_a_round_number_that_nothing_exceeds_and_has_few_lines() {
        let top = |most| (Scale::to(most).top, Scale::to(most).ticks().len());
        assert_eq!(
            [0, 1, 4, 5, 9, 41, 99_999].map(top),
            [(1, 2), (1, 2), (4, 5), (6, 4), (10, 3), (60, 4), (100_000, 3)]
        );
        for most in (1..2000).chain([u64::from(u32::MAX)]) {
            let scale = Scale::to(most);
            assert!(most <= scale.top && scale.top < most + scale.step && scale.ticks().len() <= 5);
        }
    }

    #[test]
    fn a_day_without_figures_is_as_wide_as_any_other() {
        let point = |date: &str, p1| Point {
            date: date.parse().unwrap(),
            open: p1,
            overdue: 0,
            by_priority: Counts { p1, total: p1, ..Counts::default() },
        };
        let points = [point("2026-11-01", 4), point("2026-11-02", 4), point("2026-11-11", 0)];
        let drawn = trend(&points).unwrap();
        assert_eq!(drawn.areas[0].1, "40,20 71,20 350,150 350,150 71,150 40,150");
        assert_eq!(drawn.overdue, "40,150 71,150 350,150");
        assert!(trend(&points[..1]).is_none(), "no line through one point");
    }

    #[test]
    fn one_of_many_is_seen_and_what_is_nothing_is_not_drawn() {
        let within_7 = Counts { p1: 1, p4: 9999, total: 10_000, ..Counts::default() };
        let due_in = DueIn { within_7, ..DueIn::default() };
        let wave = wave(&due_in);
        let parts: Vec<_> =
            wave.columns[3].parts.iter().map(|part| (part.class, part.height >= LEAST)).collect();
        assert_eq!(parts, [("p1", true), ("p4", true)]);
        assert!(wave.columns[2].parts.is_empty() && wave.columns[2].top == BOTTOM);
    }
}
