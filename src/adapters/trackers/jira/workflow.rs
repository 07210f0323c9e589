//! Ways through the workflow of a ticket.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Jira, about_ticket};
use crate::{
    adapters::trackers::credential::Credentials,
    app::{Moved, TicketAt, TrackerFailed, Trouble},
};

/// How many ways are tried at most, a request each.
const MAX_TRIED: usize = 3;
/// Names of resolutions that say what has happened, the best first.
const RESOLUTIONS: [&str; 2] = ["Done", "Fixed"];

/// A status, of which the name is anybody's and the category is Jira's.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Status {
    status_category: Category,
}

#[derive(Debug, Deserialize)]
struct Category {
    key: String,
}

impl Status {
    pub(super) fn is_done(&self) -> bool {
        self.status_category.key == "done"
    }
}

#[derive(Deserialize)]
struct Transitions {
    transitions: Vec<Transition>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transition {
    id: String,
    to: Status,
    is_available: Option<bool>,
    #[serde(default)]
    fields: BTreeMap<String, Field>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Field {
    required: bool,
    #[serde(default)]
    has_default_value: bool,
    #[serde(default)]
    allowed_values: Vec<Value>,
}

impl<C: Credentials> Jira<C> {
    pub(in super::super) async fn close(
        &self,
        ticket: TicketAt<'_>,
    ) -> Result<Moved, TrackerFailed> {
        self.go(ticket, &["done"]).await
    }

    pub(in super::super) async fn reopen(
        &self,
        ticket: TicketAt<'_>,
    ) -> Result<Moved, TrackerFailed> {
        self.go(ticket, &["new", "indeterminate"]).await
    }

    /// Moves a ticket to a status of one of these categories, the first if there is a way.
    async fn go(&self, ticket: TicketAt<'_>, to: &[&str]) -> Result<Moved, TrackerFailed> {
        let path = "/transitions?expand=transitions.fields";
        let request = about_ticket("Jira GetTransitions", "GET", ticket, path, None)?;
        let ways: Transitions = self.http.done(&request).await?.json(&request)?;
        let ways = ways.transitions.iter().filter(|way| way.is_available != Some(false));
        let mut ways: Vec<_> = ways
            .filter_map(|way| {
                let rank = to.iter().position(|to| *to == way.to.status_category.key)?;
                Some((rank, way, way.asked()?))
            })
            .collect();
        ways.sort_by_key(|(rank, ..)| *rank);
        for (_, way, fields) in ways.into_iter().take(MAX_TRIED) {
            let mut body = json!({"transition": {"id": way.id}});
            if !fields.is_empty() {
                body["fields"] = Value::Object(fields);
            }
            let request =
                about_ticket("Jira DoTransition", "POST", ticket, "/transitions", Some(body))?;
            let answer = self.http.send(&request).await?;
            match answer.status {
                // A condition of the workflow that is not told beforehand.
                400 if !answer.is_unauthorized() => {}
                // Somebody moves it, too.
                409 => return Err(answer.refused(&request, Trouble::Unknown)),
                _ => return answer.done(&request).map(|_| Moved::Yes),
            }
        }
        Ok(Moved::NoWay)
    }
}

impl Transition {
    /// The fields to fill in for it, if a program can: none, or a resolution.
    fn asked(&self) -> Option<Map<String, Value>> {
        let mut asked = self.fields.iter().filter(|(_, f)| f.required && !f.has_default_value);
        match (asked.next(), asked.next()) {
            (None, _) => Some(Map::new()),
            (Some((name, field)), None) if name == "resolution" => {
                Some(Map::from_iter([(name.clone(), field.resolution()?)]))
            }
            _ => None,
        }
    }
}

impl Field {
    /// One of the resolutions that there are, by its id: names are translated.
    fn resolution(&self) -> Option<Value> {
        let known = RESOLUTIONS
            .iter()
            .find_map(|name| self.allowed_values.iter().find(|value| value["name"] == **name));
        let value = known.or_else(|| self.allowed_values.first())?;
        let field = if value["id"].is_string() { "id" } else { "name" };
        value[field].is_string().then(|| json!({field: value[field]}))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(fields: &Value) -> Option<Value> {
        let to = json!({"statusCategory": {"key": "done"}});
        let way = json!({"id": "31", "to": to, "fields": fields});
        let way: Transition = serde_json::from_value(way).unwrap();
        way.asked().map(Value::Object)
    }

    #[test]
    fn a_way_is_gone_that_asks_for_nothing_or_for_a_resolution() {
        let resolutions = json!([{"id": "1", "name": "Won't Do"}, {"id": "2", "name": "Done"}]);
        let resolution = json!({"required": true, "allowedValues": resolutions});
        assert_eq!(asked(&json!({})), Some(json!({})));
        assert_eq!(asked(&json!({"comment": {"required": false}})), Some(json!({})));
        let has_default = json!({"required": true, "hasDefaultValue": true});
        assert_eq!(asked(&json!({"team": has_default})), Some(json!({})));
        assert_eq!(
            asked(&json!({"resolution": resolution})),
            Some(json!({"resolution": {"id": "2"}}))
        );
        let other = json!({"required": true, "allowedValues": [{"name": "Erledigt"}]});
        assert_eq!(
            asked(&json!({"resolution": other})),
            Some(json!({"resolution": {"name": "Erledigt"}}))
        );
        assert_eq!(asked(&json!({"resolution": {"required": true}})), None);
        assert_eq!(asked(&json!({"resolution": resolution, "cause": {"required": true}})), None);
    }
}
