//! Alarms and metrics, to see what CloudWatch knows.

use aws_config::SdkConfig;
use aws_sdk_cloudwatch::{
    Client,
    primitives::DateTime,
    types::{Dimension, StateValue, Statistic},
};
use jiff::{SignedDuration, Timestamp};

use super::failed;
use crate::app::failure::CallFailed;

/// An alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Whether it rings.
    pub rings: bool,
    /// Whether anybody hears it: whether its actions are enabled.
    pub is_heard: bool,
    /// Why it has its state.
    pub reason: String,
}

/// As many alarms as a call may name.
const MAX_NAMES: usize = 100;

/// The alarms with these names, as far as they are there.
///
/// # Errors
/// A call failed.
pub async fn alarms(config: &SdkConfig, names: &[&str]) -> Result<Vec<Alarm>, CallFailed> {
    let client = Client::new(config);
    let mut alarms = Vec::new();
    for names in names.chunks(MAX_NAMES) {
        let names = names.iter().map(|&name| name.to_owned()).collect();
        let call = client.describe_alarms().set_alarm_names(Some(names));
        let answer = call
            .send()
            .await
            .map_err(|error| failed::call("CloudWatch DescribeAlarms", "of the stack", error))?;
        alarms.extend(answer.metric_alarms().iter().map(|alarm| Alarm {
            name: alarm.alarm_name().unwrap_or_default().to_owned(),
            rings: alarm.state_value() == Some(&StateValue::Alarm),
            is_heard: alarm.actions_enabled().unwrap_or(false),
            reason: alarm.state_reason().unwrap_or_default().to_owned(),
        }));
    }
    Ok(alarms)
}

/// The metric of a function.
#[derive(Clone, Copy, Debug)]
pub struct FunctionMetric<'a> {
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The function's name.
    pub function: &'a str,
}

/// When a metric was last more than zero in the time `back` before `now`, to five minutes.
///
/// # Errors
/// The call failed.
pub async fn last_seen(
    config: &SdkConfig,
    metric: FunctionMetric<'_>,
    now: Timestamp,
    back: SignedDuration,
) -> Result<Option<Timestamp>, CallFailed> {
    let since = now.saturating_sub(back).unwrap_or(Timestamp::MIN);
    let answer = Client::new(config)
        .get_metric_statistics()
        .namespace(metric.namespace)
        .metric_name(metric.name)
        .dimensions(Dimension::builder().name("function").value(metric.function).build())
        .start_time(DateTime::from_secs(since.as_second()))
        .end_time(DateTime::from_secs(now.as_second()))
        .period(300)
        .statistics(Statistic::Sum)
        .send()
        .await
        .map_err(|error| failed::call("CloudWatch GetMetricStatistics", metric.name, error))?;
    let seen = answer.datapoints().iter().filter(|point| point.sum().is_some_and(|sum| sum > 0.0));
    let last = seen.filter_map(|point| Timestamp::from_second(point.timestamp()?.secs()).ok());
    Ok(last.max())
}
