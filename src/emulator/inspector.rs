//! Amazon Inspector on this machine: lists the findings that it is given, and is as strict, and as odd, as the real one.
//!
//! Requests are checked against AWS's own model of the service: a field, a filter or a number that it does not know is
//! refused. Answers come in pages; what AWS does with them now and then is in [`Habits`], and what goes wrong in [`Trouble`].

use std::{
    collections::{BTreeSet, HashMap},
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{
        StatusCode, Uri,
        header::{CONTENT_TYPE, RETRY_AFTER},
    },
    response::{AppendHeaders, IntoResponse},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;

use super::http::Answer;
use crate::{app::failure::BoxError, domain::finding::date};

/// Inspector in one Region.
#[derive(Clone, Default)]
pub struct Inspector(Arc<Mutex<Contents>>);

/// What it knows, and what it has looked up in that.
#[derive(Default)]
struct Contents {
    fleet: Fleet,
    looked_up: LookedUp,
}

/// What was looked up in a fleet since it last changed, so that the pages of a listing cost the same however many there are.
#[derive(Default)]
struct LookedUp {
    /// The findings of the latest listing by their places, and what was asked for.
    listing: Option<(String, Vec<usize>)>,
    /// The places of all findings, by their ARNs.
    places: Option<HashMap<String, usize>>,
}

/// A [`Fleet`], to look at and to change.
pub struct FleetGuard<'a>(MutexGuard<'a, Contents>);

impl Deref for FleetGuard<'_> {
    type Target = Fleet;

    fn deref(&self) -> &Fleet {
        &self.0.fleet
    }
}

impl DerefMut for FleetGuard<'_> {
    fn deref_mut(&mut self) -> &mut Fleet {
        self.0.looked_up = LookedUp::default();
        &mut self.0.fleet
    }
}

/// What Inspector knows, and how it behaves.
pub struct Fleet {
    /// Findings in the form of the API.
    pub findings: Vec<Value>,
    /// Findings that it leaves out of listings, and knows when they are asked for by name.
    pub hidden: BTreeSet<String>,
    /// Findings of which it does not give the details, each with the error code.
    pub refused: HashMap<String, &'static str>,
    /// What it knows of attacks: details of findings, each with its `findingArn`, and vulnerabilities, each with its `id`, in
    /// the form of the API.
    pub threats: Vec<Value>,
    /// Resources that it knows, in the form of the API.
    pub coverage: Vec<Value>,
    /// The rules by which it hides findings, in the form of the API.
    pub rules: Vec<Value>,
    /// The accounts, the first of which is its own, each with the status of Inspector as a whole and of each kind of scan.
    pub accounts: Vec<Account>,
    /// The account that administers Inspector for the organisation.
    pub administrator: Option<String>,
    /// How it answers.
    pub habits: Habits,
    /// Asked about each request before it is looked at: the number of the request, from 0, and what it is.
    pub trouble: Option<Fate>,
    /// The path of each request that came.
    pub requests: Vec<String>,
}

/// What befalls the request with this number.
pub type Fate = Box<dyn FnMut(usize, Request<'_>) -> Option<Trouble> + Send>;

/// A request to Inspector.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Its path, such as `/findings/list`.
    pub path: &'a str,
    /// Its body: JSON, or nothing.
    pub body: &'a str,
}

/// An account as Inspector sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its id.
    pub id: String,
    /// How it is related to the administrator.
    pub relationship: &'static str,
    /// Whether Inspector is on, or the error with which it cannot tell.
    pub status: &'static str,
    /// Which kinds of scans are off.
    pub off: Vec<&'static str>,
}

impl Account {
    /// An account in which everything is on.
    pub fn new(id: &str) -> Self {
        Self { id: id.to_owned(), relationship: ENABLED, status: ENABLED, off: Vec::new() }
    }

    fn state(&self) -> Value {
        // As the real one, with an error code where there is no error.
        let state = |status: &str| json!({"status": status, "errorCode": "ALREADY_ENABLED", "errorMessage": ""});
        let scans = ["ec2", "ecr", "lambda", "lambdaCode", "codeRepository"].map(|scan| {
            let is_off = self.status != ENABLED || self.off.contains(&scan);
            (scan.to_owned(), state(if is_off { "DISABLED" } else { ENABLED }))
        });
        json!({
            "accountId": self.id, "state": state(self.status),
            "resourceState": Map::from_iter(scans),
        })
    }
}

const ENABLED: &str = "ENABLED";

impl Default for Fleet {
    fn default() -> Self {
        Self {
            findings: Vec::new(),
            hidden: BTreeSet::new(),
            refused: HashMap::new(),
            threats: Vec::new(),
            coverage: Vec::new(),
            rules: Vec::new(),
            accounts: vec![Account::new("111122223333")],
            administrator: None,
            habits: Habits::default(),
            trouble: None,
            requests: Vec::new(),
        }
    }
}

/// How pages come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Habits {
    /// As many findings as a page has at most, whatever was asked for.
    pub page_size: usize,
    /// Between two pages comes an empty one.
    pub empty_pages: bool,
    /// After the last page comes an empty one.
    pub token_at_the_end: bool,
    /// In which order findings come.
    pub order: Order,
}

/// In which order findings come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// As it was asked for.
    AsAsked,
    /// The other way round.
    Reversed,
    /// As it was asked for, but for the last, which comes in the midst of the others.
    Stray,
}

impl Default for Habits {
    fn default() -> Self {
        Self { page_size: 100, empty_pages: false, token_at_the_end: false, order: Order::AsAsked }
    }
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It is one too many; come again after so many seconds.
    Throttled(u32),
    /// Inspector has an error of its own.
    Error,
    /// It is not allowed.
    Denied,
    /// The token is not taken any more.
    TokenExpired,
    /// The answer is cut off in the midst of it.
    CutOff,
    /// The answer has no list.
    Empty,
}

/// A refusal: a status, a code and what is wrong.
type Refusal = (u16, &'static str, String);

impl Inspector {
    /// What it knows, to look at and to change.
    pub fn fleet(&self) -> FleetGuard<'_> {
        FleetGuard(self.contents())
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves it on `listener` for ever.
    pub async fn serve(self, listener: TcpListener) -> Result<(), BoxError> {
        let router = Router::new().fallback(call).with_state(self);
        Ok(axum::serve(listener, router).await?)
    }

    /// Performs a call, given as the path and the body of a request.
    pub fn perform(&self, path: &str, body: &[u8]) -> Answer {
        let mut contents = self.contents();
        let Contents { fleet, looked_up } = &mut *contents;
        let number = fleet.requests.len();
        fleet.requests.push(path.to_owned());
        let request = Request { path, body: str::from_utf8(body).unwrap_or_default() };
        let trouble = fleet.trouble.as_mut().and_then(|trouble| trouble(number, request));
        let refused = match trouble {
            Some(Trouble::Throttled(seconds)) => {
                let answer = refusal((429, "ThrottlingException", "Rate exceeded".to_owned()));
                return Answer { retry_after: Some(seconds), ..answer };
            }
            Some(Trouble::Error) => Some((500, "InternalServerException", "an error".to_owned())),
            Some(Trouble::Denied) => {
                Some((403, "AccessDeniedException", "is not authorized".to_owned()))
            }
            Some(Trouble::TokenExpired) => Some(invalid("Pagination token exception")),
            Some(Trouble::CutOff | Trouble::Empty) | None => None,
        };
        if let Some(refused) = refused {
            return refusal(refused);
        }
        match fleet.answer(path, body, looked_up) {
            Ok(_) if trouble == Some(Trouble::Empty) => Answer::ok("{}".to_owned()),
            Ok(mut answer) => {
                if trouble == Some(Trouble::CutOff) {
                    answer.truncate(answer.len() / 2);
                }
                Answer::ok(answer)
            }
            Err(refused) => refusal(refused),
        }
    }
}

async fn call(State(inspector): State<Inspector>, uri: Uri, body: Bytes) -> impl IntoResponse {
    let Answer { status, body, retry_after } = inspector.perform(uri.path(), &body);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let retry_after = retry_after.map(|seconds| (RETRY_AFTER, seconds.to_string()));
    let headers = AppendHeaders(retry_after.into_iter().collect::<Vec<_>>());
    (status, [(CONTENT_TYPE, "application/json")], headers, body)
}

impl Fleet {
    fn answer(&self, path: &str, body: &[u8], looked_up: &mut LookedUp) -> Result<String, Refusal> {
        // A call without arguments has no body.
        let body = if body.is_empty() { b"{}" } else { body };
        let request: Value =
            serde_json::from_slice(body).map_err(|error| invalid(&error.to_string()))?;
        let request = request.as_object().ok_or_else(|| invalid("the request is no object"))?;
        match path {
            // A page of findings is too large to be copied.
            "/findings/list" => return self.list_findings(request, looked_up),
            "/coverage/list" => self.list_coverage(request),
            "/filters/list" => self.list_filters(request),
            "/findings/details/batch/get" => self.details(request, looked_up),
            "/vulnerabilities/search" => self.search(request),
            "/status/batch/get" => self.status(request),
            "/members/list" => self.list_members(request),
            "/delegatedadminaccounts/get" => match &self.administrator {
                Some(account) => Ok(json!({
                    "delegatedAdmin": {"accountId": account, "relationshipStatus": ENABLED}
                })),
                None => {
                    Err((404, "ResourceNotFoundException", "there is no administrator".to_owned()))
                }
            },
            _ => Err((404, "UnknownOperationException", format!("{path} is not served here"))),
        }
        .map(|answer| answer.to_string())
    }

    fn list_findings(
        &self,
        request: &Map<String, Value>,
        looked_up: &mut LookedUp,
    ) -> Result<String, Refusal> {
        known(request, &["filterCriteria", "maxResults", "nextToken", "sortCriteria"])?;
        let most = most(request, 100)?.min(self.habits.page_size);
        let filter = object(request, "filterCriteria")?
            .ok_or_else(|| invalid("a call without a filter hangs in large accounts"))?;
        if let Some(sort) = object(request, "sortCriteria")? {
            known(sort, &["field", "sortOrder"])?;
            let field = sort.get("field").and_then(Value::as_str);
            if field != Some("FIRST_OBSERVED_AT") {
                return Err(invalid(&format!("this stand-in does not sort by {field:?}")));
            }
        }
        let asked = all_but_token(request);
        let found = match looked_up.listing.take() {
            Some((known, found)) if known == asked => found,
            _ => self.find(filter)?,
        };
        let page = self.page(&found, request, most);
        looked_up.listing = Some((asked, found));
        let (places, next_token) = page?;
        let findings = places.into_iter().map(|place| &self.findings[place]).collect();
        serde_json::to_string(&FindingsPage { findings, next_token })
            .map_err(|error| invalid(&error.to_string()))
    }

    /// The places of the findings that pass a filter, in the order in which they come.
    fn find(&self, filter: &Map<String, Value>) -> Result<Vec<usize>, Refusal> {
        let filters = Filters::read(filter, STRING_FILTERS, &["EQUALS", "NOT_EQUALS", "PREFIX"])?;
        let by_name = filter.contains_key("findingArn");
        let is_hidden = |finding: &Value| {
            let arn = finding["findingArn"].as_str().unwrap_or_default();
            !by_name && self.hidden.contains(arn)
        };
        let found = self.findings.iter().enumerate();
        let found = found.filter(|(_, finding)| filters.pass(finding) && !is_hidden(finding));
        let observed = |finding: &Value| finding["firstObservedAt"].as_f64().unwrap_or_default();
        let mut keyed: Vec<(f64, usize)> =
            found.map(|(place, finding)| (observed(finding), place)).collect();
        keyed.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        let mut found: Vec<usize> = keyed.into_iter().map(|(_, place)| place).collect();
        match self.habits.order {
            Order::AsAsked => {}
            Order::Reversed => found.reverse(),
            Order::Stray => {
                let last = found.pop();
                let middle = found.len() / 2;
                found.splice(middle..middle, last);
            }
        }
        Ok(found)
    }

    fn list_coverage(&self, request: &Map<String, Value>) -> Result<Value, Refusal> {
        known(request, &["filterCriteria", "maxResults", "nextToken"])?;
        let most = most(request, 200)?.min(self.habits.page_size);
        let filter = object(request, "filterCriteria")?
            .ok_or_else(|| invalid("a call without a filter hangs in large accounts"))?;
        let filters = Filters::read(filter, COVERAGE_FILTERS, &["EQUALS", "NOT_EQUALS"])?;
        let found: Vec<&Value> =
            self.coverage.iter().filter(|covered| filters.pass(covered)).collect();
        let (items, token) = self.page(&found, request, most)?;
        Ok(listed("coveredResources", &items, token))
    }

    fn list_filters(&self, request: &Map<String, Value>) -> Result<Value, Refusal> {
        known(request, &["arns", "action", "maxResults", "nextToken"])?;
        let most = most(request, 100)?.min(self.habits.page_size);
        let action = match request.get("action").and_then(Value::as_str) {
            Some(action @ ("NONE" | "SUPPRESS")) => Some(action),
            None => None,
            Some(other) => return Err(invalid(&format!("{other} is no action"))),
        };
        let is_asked_for = |rule: &&Value| action.is_none_or(|action| rule["action"] == action);
        let found: Vec<&Value> = self.rules.iter().filter(is_asked_for).collect();
        let (items, token) = self.page(&found, request, most)?;
        Ok(listed("filters", &items, token))
    }

    fn details(
        &self,
        request: &Map<String, Value>,
        looked_up: &mut LookedUp,
    ) -> Result<Value, Refusal> {
        known(request, &["findingArns"])?;
        let arns = names(request, "findingArns", 10)?;
        let places = looked_up.places.get_or_insert_with(|| self.places());
        let (mut details, mut errors) = (Vec::new(), Vec::new());
        for arn in arns {
            let id = arn.rsplit_once(":finding/").map_or("", |(_, id)| id);
            let is_id = id.len() == 32 && id.bytes().all(|b| b"0123456789abcdef".contains(&b));
            if !is_id || arn.len() > 100 {
                return Err(invalid(&format!("{arn} is no finding's ARN")));
            }
            if let Some(code) = self.refused.get(arn) {
                errors.push(json!({"findingArn": arn, "errorCode": code, "errorMessage": ""}));
                continue;
            }
            let finding = places.get(arn).map(|place| &self.findings[*place]);
            let problem = finding.map(|finding| &finding["packageVulnerabilityDetails"]);
            let id = problem.map(|problem| &problem["vulnerabilityId"]).filter(|id| id.is_string());
            match id {
                Some(id) => {
                    let is_meant =
                        |known: &&Value| known["findingArn"] == arn || known["id"] == *id;
                    let known = self.threats.iter().find(is_meant);
                    let mut known = known.cloned().unwrap_or_else(|| json!({}));
                    if let Some(known) = known.as_object_mut() {
                        known.remove("id");
                        known.insert("findingArn".to_owned(), json!(arn));
                    }
                    details.push(known);
                }
                None => errors.push(json!({
                    "findingArn": arn, "errorCode": "FINDING_DETAILS_NOT_FOUND",
                    "errorMessage": "there are no details",
                })),
            }
        }
        Ok(json!({"findingDetails": details, "errors": errors}))
    }

    fn places(&self) -> HashMap<String, usize> {
        let arn = |finding: &Value| finding["findingArn"].as_str().map(str::to_owned);
        // Of two with one name the first counts.
        let findings = self.findings.iter().enumerate().rev();
        findings.filter_map(|(place, finding)| Some((arn(finding)?, place))).collect()
    }

    fn search(&self, request: &Map<String, Value>) -> Result<Value, Refusal> {
        known(request, &["filterCriteria", "nextToken"])?;
        let filter = object(request, "filterCriteria")?.ok_or_else(|| invalid("no filter"))?;
        known(filter, &["vulnerabilityIds"])?;
        let ids = names(filter, "vulnerabilityIds", 1)?;
        let id = ids.first().copied().unwrap_or_default();
        let number = id.strip_prefix("CVE-").and_then(|rest| rest.split_once('-'));
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if !number
            .is_some_and(|(year, number)| year.len() == 4 && is_number(year) && is_number(number))
        {
            return Err(invalid(&format!("{id} is no id of CVE")));
        }
        let found: Vec<&Value> = self.threats.iter().filter(|known| known["id"] == id).collect();
        Ok(json!({"vulnerabilities": found}))
    }

    fn status(&self, request: &Map<String, Value>) -> Result<Value, Refusal> {
        known(request, &["accountIds"])?;
        let asked =
            request.get("accountIds").map(|ids| ids.as_array().cloned().unwrap_or_default());
        let asked = asked.unwrap_or_default();
        if asked.len() > 100 {
            return Err(invalid("more than 100 accounts"));
        }
        if asked.is_empty() {
            let own = self.accounts.first().map(Account::state);
            return Ok(
                json!({"accounts": own.into_iter().collect::<Vec<_>>(), "failedAccounts": []}),
            );
        }
        let (mut accounts, mut failed) = (Vec::new(), Vec::new());
        for id in &asked {
            match self.accounts.iter().find(|account| *id == account.id) {
                Some(account) if account.status.ends_with("_ERROR") => failed.push(json!({
                    "accountId": id, "errorCode": account.status, "errorMessage": "an error"
                })),
                Some(account) => accounts.push(account.state()),
                None => failed.push(json!({
                    "accountId": id, "errorCode": "ACCESS_DENIED", "errorMessage": "not a member"
                })),
            }
        }
        Ok(json!({"accounts": accounts, "failedAccounts": failed}))
    }

    fn list_members(&self, request: &Map<String, Value>) -> Result<Value, Refusal> {
        known(request, &["maxResults", "nextToken", "onlyAssociated"])?;
        let own = self.accounts.first().map(|account| account.id.clone());
        if self.administrator != own {
            return Err((403, "AccessDeniedException", "is not the administrator".to_owned()));
        }
        let members = self.accounts.iter().skip(1).map(
            |account| json!({"accountId": account.id, "relationshipStatus": account.relationship}),
        );
        let members: Vec<Value> = members.collect();
        let most = most(request, 50)?.min(self.habits.page_size);
        let (items, token) = self.page(&members.iter().collect::<Vec<_>>(), request, most)?;
        Ok(listed("members", &items, token))
    }

    /// The page that `request` asks for, and the token of the next.
    fn page<T: Copy>(
        &self,
        all: &[T],
        request: &Map<String, Value>,
        most: usize,
    ) -> Result<(Vec<T>, Option<String>), Refusal> {
        let asked = all_but_token(request);
        let token = request.get("nextToken");
        let (from, is_empty) = match token {
            None => (0, false),
            Some(token) => {
                let refused = || invalid("Pagination token exception");
                let token = token.as_str().ok_or_else(refused)?;
                let mut parts = token.splitn(3, '/');
                let from = parts.next().and_then(|from| from.parse().ok()).ok_or_else(refused)?;
                let is_empty = parts.next().ok_or_else(refused)? == "empty";
                // A filter that differs in one byte is another listing.
                if parts.next() != Some(asked.as_str()) {
                    return Err(refused());
                }
                (from, is_empty)
            }
        };
        let token = |from: usize, kind: &str| Some(format!("{from}/{kind}/{asked}"));
        if is_empty {
            let next = if from < all.len() { token(from, "full") } else { None };
            return Ok((Vec::new(), next));
        }
        let to = all.len().min(from + most);
        let items = all.get(from..to).unwrap_or_default().to_vec();
        let next = if to < all.len() {
            token(to, if self.habits.empty_pages { "empty" } else { "full" })
        } else if self.habits.token_at_the_end {
            token(to, "empty")
        } else {
            None
        };
        Ok((items, next))
    }
}

/// What a request asks for, whichever page of it.
fn all_but_token(request: &Map<String, Value>) -> String {
    let mut asked = request.clone();
    asked.remove("nextToken");
    Value::Object(asked).to_string()
}

/// A page of findings as it is sent.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FindingsPage<'a> {
    findings: Vec<&'a Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

/// Fields that are dates, and do not say so.
const DATES_BY_NAME: [&str; 4] = ["dateAdded", "dateDue", "firstSeen", "lastSeen"];

/// A finding as the API has it, from one as an event or the AWS CLI has it: its dates are numbers.
pub fn as_api(mut finding: Value) -> Value {
    fn convert(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    let is_date = name.ends_with("At") || DATES_BY_NAME.contains(&name.as_str());
                    let moment = value.as_str().filter(|_| is_date);
                    match moment.and_then(|_| date::read(value)) {
                        #[expect(
                            clippy::cast_precision_loss,
                            reason = "milliseconds of this age fit"
                        )]
                        Some(moment) => *value = json!(moment.as_millisecond() as f64 / 1000.0),
                        None => convert(value),
                    }
                }
            }
            Value::Array(values) => values.iter_mut().for_each(convert),
            _ => {}
        }
    }
    convert(&mut finding);
    finding
}

/// The filters of the model, each a list of one to ten.
const STRING_FILTERS: &[(&str, &str)] = &[
    ("findingArn", "/findingArn"),
    ("awsAccountId", "/awsAccountId"),
    ("findingType", "/type"),
    ("severity", "/severity"),
    ("findingStatus", "/status"),
    ("title", "/title"),
    ("resourceType", "/resources/0/type"),
    ("resourceId", "/resources/0/id"),
    ("vulnerabilityId", "/packageVulnerabilityDetails/vulnerabilityId"),
    ("fixAvailable", "/fixAvailable"),
    ("exploitAvailable", "/exploitAvailable"),
    ("ecrImageHash", "/resources/0/details/awsEcrContainerImage/imageHash"),
    ("codeRepositoryProjectName", "/resources/0/details/codeRepository/projectName"),
];
const DATE_FILTERS: &[(&str, &str)] = &[
    ("firstObservedAt", "/firstObservedAt"),
    ("lastObservedAt", "/lastObservedAt"),
    ("updatedAt", "/updatedAt"),
];

const COVERAGE_FILTERS: &[(&str, &str)] = &[
    ("accountId", "/accountId"),
    ("resourceId", "/resourceId"),
    ("resourceType", "/resourceType"),
    ("scanType", "/scanType"),
    ("scanStatusCode", "/scanStatus/statusCode"),
    ("scanStatusReason", "/scanStatus/reason"),
    ("lambdaFunctionName", "/resourceMetadata/lambdaFunction/functionName"),
    ("codeRepositoryProjectName", "/resourceMetadata/codeRepository/projectName"),
];

fn listed(name: &str, items: &[&Value], token: Option<String>) -> Value {
    let mut answer = json!({name: items});
    if let Some(token) = token {
        answer["nextToken"] = json!(token);
    }
    answer
}

/// The filters of a request: something passes that passes one of each list.
struct Filters<'a>(Vec<Filter<'a>>);

/// A list of filters on one field.
struct Filter<'a> {
    /// Where the field is.
    path: Vec<&'static str>,
    allowed: Vec<Allowed<'a>>,
}

/// What a filter lets pass.
enum Allowed<'a> {
    Equal(&'a str),
    Different(&'a str),
    Beginning(&'a str),
    Within(Option<f64>, Option<f64>),
}

impl<'a> Filters<'a> {
    /// Reads filters, by texts at the places `texts` and by dates.
    fn read(
        filters: &'a Map<String, Value>,
        texts: &[(&str, &'static str)],
        comparisons: &[&str],
    ) -> Result<Self, Refusal> {
        let read = |(name, values): (&String, &'a Value)| {
            let values = values.as_array().filter(|values| (1..=10).contains(&values.len()));
            let values = values.ok_or_else(|| invalid(&format!("{name} is no list of 1 to 10")))?;
            let place = |places: &[(&str, &'static str)]| {
                places.iter().find(|(filter, _)| filter == name).map(|(_, place)| *place)
            };
            let (place, is_text) = match (place(texts), place(DATE_FILTERS)) {
                (Some(place), _) => (place, true),
                (None, Some(place)) => (place, false),
                _ => return Err(invalid(&format!("this stand-in does not filter by {name}"))),
            };
            let allowed = values.iter().map(|value| {
                let value = value.as_object().ok_or_else(|| invalid("a filter is no object"))?;
                if is_text { text_filter(value, comparisons) } else { date_filter(value) }
            });
            let path = place.split('/').skip(1).collect();
            Ok(Filter { path, allowed: allowed.collect::<Result<_, _>>()? })
        };
        filters.iter().map(read).collect::<Result<_, _>>().map(Self)
    }

    fn pass(&self, item: &Value) -> bool {
        self.0.iter().all(|filter| {
            let field = filter.path.iter().try_fold(item, |value, name| match value {
                Value::Array(values) => values.get(name.parse::<usize>().ok()?),
                value => value.get(name),
            });
            filter.allowed.iter().any(|allowed| allowed.lets_pass(field))
        })
    }
}

impl Allowed<'_> {
    fn lets_pass(&self, field: Option<&Value>) -> bool {
        let text = || field.and_then(Value::as_str).unwrap_or_default();
        match *self {
            Self::Equal(value) => text() == value,
            Self::Different(value) => text() != value,
            Self::Beginning(value) => text().starts_with(value),
            Self::Within(start, end) => field.and_then(Value::as_f64).is_some_and(|moment| {
                start.is_none_or(|start| moment >= start) && end.is_none_or(|end| moment <= end)
            }),
        }
    }
}

fn text_filter<'a>(
    filter: &'a Map<String, Value>,
    comparisons: &[&str],
) -> Result<Allowed<'a>, Refusal> {
    known(filter, &["comparison", "value"])?;
    let word =
        |name: &str| filter.get(name).and_then(Value::as_str).filter(|word| !word.is_empty());
    let value = word("value").ok_or_else(|| invalid("a filter has no value"))?;
    match word("comparison").filter(|comparison| comparisons.contains(comparison)) {
        Some("EQUALS") => Ok(Allowed::Equal(value)),
        Some("NOT_EQUALS") => Ok(Allowed::Different(value)),
        Some("PREFIX") => Ok(Allowed::Beginning(value)),
        other => Err(invalid(&format!("a filter compares by {other:?}"))),
    }
}

/// What a date filter takes: from 1970 on, and before 2033.
const DATES: std::ops::Range<f64> = 0.0..1_988_150_400.0;

fn date_filter(filter: &Map<String, Value>) -> Result<Allowed<'_>, Refusal> {
    known(filter, &["startInclusive", "endInclusive"])?;
    let bound = |name: &str| match filter.get(name) {
        None => Ok(None),
        Some(value) => {
            let moment = value.as_f64().filter(|moment| DATES.contains(moment));
            moment
                .map(Some)
                .ok_or_else(|| invalid(&format!("{name} is {value}, not in 1970 to 2032")))
        }
    };
    Ok(Allowed::Within(bound("startInclusive")?, bound("endInclusive")?))
}

/// Refuses what the model does not have.
fn known(request: &Map<String, Value>, fields: &[&str]) -> Result<(), Refusal> {
    match request.keys().find(|name| !fields.contains(&name.as_str())) {
        Some(name) => Err(invalid(&format!("{name} is not in the model"))),
        None => Ok(()),
    }
}

fn most(request: &Map<String, Value>, most: usize) -> Result<usize, Refusal> {
    let Some(asked) = request.get("maxResults") else { return Ok(most) };
    let asked = asked.as_u64().and_then(|asked| usize::try_from(asked).ok());
    let allowed = asked.filter(|asked| (1..=most).contains(asked));
    allowed.ok_or_else(|| invalid(&format!("maxResults is {asked:?}, not in 1 to {most}")))
}

/// A list of one to `most` texts.
fn names<'a>(
    request: &'a Map<String, Value>,
    name: &str,
    most: usize,
) -> Result<Vec<&'a str>, Refusal> {
    let list = request.get(name).and_then(Value::as_array);
    let list = list.filter(|list| (1..=most).contains(&list.len()));
    let names = list.map(|list| list.iter().filter_map(Value::as_str).collect::<Vec<_>>());
    names.ok_or_else(|| invalid(&format!("{name} is no list of 1 to {most}")))
}

fn object<'a>(
    request: &'a Map<String, Value>,
    name: &str,
) -> Result<Option<&'a Map<String, Value>>, Refusal> {
    match request.get(name) {
        None => Ok(None),
        Some(value) => {
            value.as_object().map(Some).ok_or_else(|| invalid(&format!("{name} is no object")))
        }
    }
}

fn invalid(why: &str) -> Refusal {
    (400, "ValidationException", why.to_owned())
}

fn refusal((status, code, message): Refusal) -> Answer {
    let body = json!({"__type": code, "message": message}).to_string();
    Answer { status, body, retry_after: None }
}
