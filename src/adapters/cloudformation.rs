//! Stacks, to see what was deployed.

use std::collections::BTreeMap;

use aws_config::SdkConfig;
use aws_sdk_cloudformation::Client;
use jiff::Timestamp;

use super::failed;
use crate::app::failure::CallFailed;

/// A stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// Its ARN.
    pub arn: String,
    /// Such as `CREATE_COMPLETE`.
    pub status: String,
    /// Why it has that status, if CloudFormation says so.
    pub reason: Option<String>,
    /// When it was created or last updated.
    pub changed_at: Option<Timestamp>,
    /// Its parameters.
    pub parameters: BTreeMap<String, String>,
    /// Its outputs.
    pub outputs: BTreeMap<String, String>,
    /// Its resources.
    pub resources: Vec<StackResource>,
}

/// A resource of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackResource {
    /// Its name in the template, such as `TriageFunction`.
    pub logical_id: String,
    /// Its type, such as `AWS::Lambda::Function`.
    pub kind: String,
    /// What AWS knows it by: a name, a URL or an ARN, by its type.
    pub physical_id: String,
}

impl Stack {
    /// The stack called `name` and its resources.
    ///
    /// # Errors
    /// A call failed, or there is no such stack.
    pub async fn read(config: &SdkConfig, name: &str) -> Result<Self, CallFailed> {
        let client = Client::new(config);
        let describe = "CloudFormation DescribeStacks";
        let answer = client
            .describe_stacks()
            .stack_name(name)
            .send()
            .await
            .map_err(|error| failed::call(describe, name, error))?;
        let found = answer.stacks.unwrap_or_default().pop().ok_or_else(|| CallFailed {
            operation: describe,
            object: name.to_owned(),
            source: "it does not exist".into(),
        })?;
        let changed_at = found.last_updated_time.or(found.creation_time);
        let mut stack = Self {
            arn: found.stack_id.unwrap_or_default(),
            status: found.stack_status.map_or_else(String::new, |s| s.as_str().to_owned()),
            reason: found.stack_status_reason.filter(|reason| !reason.is_empty()),
            changed_at: changed_at.and_then(|at| Timestamp::from_second(at.secs()).ok()),
            parameters: found
                .parameters
                .unwrap_or_default()
                .into_iter()
                .filter_map(|one| Some((one.parameter_key?, one.parameter_value?)))
                .collect(),
            outputs: found
                .outputs
                .unwrap_or_default()
                .into_iter()
                .filter_map(|one| Some((one.output_key?, one.output_value?)))
                .collect(),
            resources: Vec::new(),
        };
        let mut pages =
            client.list_stack_resources().stack_name(name).into_paginator().items().send();
        while let Some(resource) = pages.next().await {
            let resource = resource
                .map_err(|error| failed::call("CloudFormation ListStackResources", name, error))?;
            stack.resources.push(StackResource {
                logical_id: resource.logical_resource_id.unwrap_or_default(),
                kind: resource.resource_type.unwrap_or_default(),
                physical_id: resource.physical_resource_id.unwrap_or_default(),
            });
        }
        Ok(stack)
    }

    /// The Region it is in; empty if its ARN says none.
    pub fn region(&self) -> &str {
        self.arn.split(':').nth(3).unwrap_or_default()
    }
}
