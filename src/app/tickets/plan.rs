//! What would be done if all that is open were noted and every ticket had its turn: nothing is written, and no tracker asked.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use jiff::{Timestamp, civil::Date};

use super::{TicketChange, Tickets};
use crate::{
    app::{
        TimeLimit,
        failure::CallFailed,
        ports::{Records, Sweep, TicketLog},
    },
    domain::{
        assess::Priority,
        record::Record,
        ticket::{
            Course, FollowedFinding, MemberState, Movement, News, Standing, Ticket, TicketKey,
        },
    },
    render::ticket::{self, Card},
};

/// Something that would be done.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What.
    pub change: TicketChange,
    /// The project.
    pub project: String,
    /// The ticket's key, if it was opened.
    pub key: Option<String>,
    /// What it would say.
    pub card: Card,
    /// Whose findings they are.
    pub owner: Option<String>,
    /// How many findings are open of it.
    pub open: usize,
    /// The highest score of these.
    pub score: u8,
}

/// All that would be done.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// The changes, the most urgent first.
    pub planned: Vec<Planned>,
    /// How many problems would have a ticket if the project of their owner were known.
    pub without_project: usize,
    /// How many open findings are too little urgent to open one.
    pub below: usize,
}

impl<S: TicketLog + Records + Sweep, T> Tickets<S, T> {
    /// What would be done.
    ///
    /// # Errors
    /// The table could not be read.
    pub async fn plan(&self) -> Result<Plan, CallFailed> {
        let tags = &self.config.style.owner_tags;
        let mut open: BTreeMap<String, (TicketKey, Vec<String>)> = BTreeMap::new();
        let each = |record: Record| {
            let key = TicketKey::of(&record.finding, tags);
            open.entry(key.id()).or_insert_with(|| (key, Vec::new())).1.push(record.finding.arn);
        };
        self.store.each_open(TimeLimit::none(), each).await?;
        let with_turn = self.store.due_tickets(Timestamp::MAX, usize::MAX).await?;
        let ids: BTreeSet<&str> = open.keys().map(String::as_str).collect();
        let ids: BTreeSet<&str> =
            ids.into_iter().chain(with_turn.iter().map(|(_, id)| id.as_str())).collect();
        let ids: Vec<&str> = ids.into_iter().collect();
        let rows = self.store.tickets(&ids).await?;
        let mut tickets: HashMap<String, Ticket> =
            rows.into_iter().map(|row| (row.ticket.key.id(), row.ticket)).collect();
        let mut plan = Plan::default();
        for id in ids {
            let (key, arns) = match (open.get(id), tickets.get(id)) {
                (Some((key, arns)), _) => (key.clone(), arns.as_slice()),
                (None, Some(ticket)) => (ticket.key.clone(), &[][..]),
                (None, None) => continue,
            };
            let ticket = tickets.remove(id);
            let mut followed = match &ticket {
                Some(_) => self.store.findings_of(id, usize::MAX).await?,
                None => Vec::new(),
            };
            let known: HashSet<String> = followed.iter().map(|one| one.arn.clone()).collect();
            let new = arns.iter().filter(|arn| !known.contains(*arn));
            let new = new.map(|arn| FollowedFinding { arn: arn.clone(), told: None, noted: 0 });
            followed.extend(new);
            let ticket = ticket.unwrap_or_else(|| Ticket::new(key));
            self.plan_one(&ticket, &followed, &mut plan).await?;
        }
        plan.planned.sort_by(|a, b| {
            let order = |one: &Planned| (one.card.priority, one.score);
            (order(b), &a.card.title).cmp(&(order(a), &b.card.title))
        });
        Ok(plan)
    }

    async fn plan_one(
        &self,
        ticket: &Ticket,
        followed: &[FollowedFinding],
        plan: &mut Plan,
    ) -> Result<(), CallFailed> {
        let style = &self.config.style;
        let arns: Vec<&str> = followed.iter().map(|one| one.arn.as_str()).collect();
        let records = self.store.read_all(&arns).await?;
        let standing = Standing::new(followed, &records, &ticket.key, &style.owner_tags);
        let open: Vec<&Record> = standing.in_state(MemberState::Open).collect();
        let told = ticket.tracked.as_ref().and_then(|tracked| tracked.told);
        let (change, project) = match &ticket.tracked {
            None if standing.asks_for_ticket(self.config.from) => {
                let project = self.config.projects.of(ticket.key.owner.as_deref());
                let Some(project) = project else {
                    plan.without_project += 1;
                    return Ok(());
                };
                (TicketChange::Opened, project.to_owned())
            }
            None => {
                plan.below += open.len();
                return Ok(());
            }
            Some(tracked) => {
                let news = News::new(&standing, tracked.told.as_ref());
                if ticket.is_up_to_date(tracked, &standing, &news) {
                    return Ok(());
                }
                let change = match ticket.course(tracked, &standing, &news, tracked.state.as_left())
                {
                    Course::Rest(_) => return Ok(()),
                    Course::OpenAnew => TicketChange::Opened,
                    Course::Object => TicketChange::Commented,
                    Course::Change { movement: Movement::Stay, .. } => TicketChange::Changed,
                    Course::Change { movement: Movement::Close, .. } => TicketChange::Closed,
                    Course::Change { movement: Movement::Reopen, .. } => TicketChange::Reopened,
                };
                (change, tracked.project.clone())
            }
        };
        let Some(facts) = standing.facts().or(told) else { return Ok(()) };
        plan.planned.push(Planned {
            change,
            project,
            key: ticket.tracked.as_ref().map(|tracked| tracked.key.clone()),
            card: ticket::card(&standing, &facts, &ticket.key, style),
            owner: ticket.key.owner.clone(),
            open: open.len(),
            score: open.iter().map(|record| record.score()).max().unwrap_or_default(),
        });
        Ok(())
    }
}

impl Planned {
    /// By when to act.
    pub fn due(&self) -> Option<Date> {
        self.card.due
    }

    /// The highest class of what is open.
    pub fn priority(&self) -> Priority {
        self.card.priority
    }
}
