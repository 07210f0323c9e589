//! What is to be done about a ticket that was opened.

use super::{Begun, Movement, News, Standing, Ticket, Tracked, TrackedState};

/// What has become of a ticket, as its tracker says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// It is open.
    Open,
    /// Its status is of the category *done*.
    Closed,
    /// It is deleted, in another project, or without its mark: it is not ours any more.
    Lost,
}

/// What is to be done about a ticket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// Nothing: it stands so.
    Rest(TrackedState),
    /// It was closed and is gone, and something is found again: that has a ticket of its own.
    OpenAnew,
    /// A person has closed it while findings are open, and is told so, once.
    Object,
    /// It is brought up to date.
    Change {
        /// Where it is to go.
        movement: Movement,
        /// Whether it is there already.
        is_there: bool,
    },
}

impl Ticket {
    /// Whether there is nothing to do about it, as far as is known without its tracker.
    pub fn is_up_to_date(
        &self,
        tracked: &Tracked,
        standing: &Standing<'_>,
        news: &News<'_>,
    ) -> bool {
        self.begun.is_none()
            && match tracked.state {
                TrackedState::Open => {
                    news.is_empty() && tracked.told.is_some() && !standing.is_over()
                }
                TrackedState::Closed => !standing.has_open(),
                TrackedState::ClosedByHand => !standing.is_over() && !standing.has_open(),
                TrackedState::ClosedByHandAndTold => !standing.is_over(),
                TrackedState::Lost => true,
            }
    }

    /// What is to be done about it, now that its tracker says what has become of it.
    pub fn course(
        &self,
        tracked: &Tracked,
        standing: &Standing<'_>,
        news: &News<'_>,
        seen: Seen,
    ) -> Course {
        let state = tracked.state;
        let is_closed = state == TrackedState::Closed;
        // Closed by us, or about to be when an attempt was ended.
        let is_ours = is_closed || matches!(self.begun, Some(Begun::Changing { closes: true, .. }));
        match seen {
            Seen::Lost if is_closed && standing.has_open() => Course::OpenAnew,
            Seen::Lost => Course::Rest(TrackedState::Lost),
            Seen::Closed if !is_ours => {
                if standing.is_over() {
                    Course::Rest(TrackedState::Closed)
                } else if state == TrackedState::ClosedByHandAndTold {
                    Course::Rest(state)
                } else if standing.has_open() {
                    Course::Object
                } else {
                    Course::Rest(TrackedState::ClosedByHand)
                }
            }
            Seen::Open
                if state == TrackedState::Open && self.is_up_to_date(tracked, standing, news) =>
            {
                Course::Rest(state)
            }
            seen => {
                let (movement, there) = if standing.is_over() {
                    (Movement::Close, Seen::Closed)
                } else if (is_closed || seen == Seen::Closed) && standing.has_open() {
                    (Movement::Reopen, Seen::Open)
                } else {
                    (Movement::Stay, seen)
                };
                Course::Change { movement, is_there: seen == there }
            }
        }
    }
}

impl TrackedState {
    /// What the tracker says, if nobody has done anything to the ticket since.
    pub fn as_left(self) -> Seen {
        match self {
            Self::Open => Seen::Open,
            Self::Closed | Self::ClosedByHand | Self::ClosedByHandAndTold => Seen::Closed,
            Self::Lost => Seen::Lost,
        }
    }
}
