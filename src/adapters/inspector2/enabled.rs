//! Whether Inspector is on, and who administers it.

use aws_sdk_inspector2::types::{AccountState, ResourceState, State};

use super::Inspector2;
use crate::{
    adapters::failed::broken,
    app::{NotAnswered, Refusal, TimeLimit},
    domain::coverage::Enablement,
};

const STATUS: &str = "Inspector2 BatchGetAccountStatus";
const ADMINISTRATOR: &str = "Inspector2 GetDelegatedAdminAccount";
const MEMBERS: &str = "Inspector2 ListMembers";
const OF_THIS_ACCOUNT: &str = "of this account";

impl Inspector2 {
    pub(super) async fn status_of(
        &self,
        accounts: &[String],
        limit: TimeLimit<'_>,
    ) -> Result<Vec<Enablement>, NotAnswered> {
        let object = match accounts {
            [] => OF_THIS_ACCOUNT.to_owned(),
            [one] => format!("of {one}"),
            several => format!("of {} accounts", several.len()),
        };
        let ids = (!accounts.is_empty()).then(|| accounts.to_vec());
        let answer = self.pace.call(STATUS, &object, limit, || {
            self.client.batch_get_account_status().set_account_ids(ids.clone()).send()
        });
        let answer = answer.await?;
        // An account that Inspector cannot tell of is one of which nobody knows that it is on.
        let failed = answer.failed_accounts().iter().map(|failed| Enablement {
            account: failed.account_id().to_owned(),
            status: failed.error_code().as_str().to_owned(),
            scans: Vec::new(),
        });
        let told: Vec<Enablement> =
            answer.accounts().iter().map(enablement).chain(failed).collect();
        if told.is_empty() {
            return Err(broken(STATUS, &object, "the answer has no account".into()));
        }
        Ok(told)
    }

    pub(super) async fn delegated_administrator(
        &self,
        limit: TimeLimit<'_>,
    ) -> Result<Option<String>, NotAnswered> {
        let object = "of the organisation";
        let call = || self.client.get_delegated_admin_account().send();
        match self.pace.call(ADMINISTRATOR, object, limit, call).await {
            Ok(answer) => {
                let account = answer.delegated_admin().and_then(|admin| admin.account_id());
                Ok(account.map(str::to_owned))
            }
            // There is no organisation, or nobody in it was named.
            Err(NotAnswered { why: Refusal::NotFound, .. }) => Ok(None),
            Err(refused) => Err(refused),
        }
    }

    /// The accounts that this one administers, with how they are related to it as their status.
    pub(super) async fn list_members(
        &self,
        limit: TimeLimit<'_>,
    ) -> Result<Vec<Enablement>, NotAnswered> {
        let mut members = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let answer = self.pace.call(MEMBERS, OF_THIS_ACCOUNT, limit, || {
                let call = self.client.list_members().only_associated(false).max_results(50);
                call.set_next_token(token.clone()).send()
            });
            let answer = answer.await?;
            members.extend(answer.members().iter().filter_map(|member| {
                Some(Enablement {
                    account: member.account_id()?.to_owned(),
                    status: member
                        .relationship_status()
                        .map_or_else(String::new, |status| status.as_str().to_owned()),
                    scans: Vec::new(),
                })
            }));
            let next = answer.next_token.filter(|next| !next.is_empty());
            if next.is_none() {
                return Ok(members);
            }
            if next == token {
                let said = "the token of the next page is that of this page";
                return Err(broken(MEMBERS, OF_THIS_ACCOUNT, said.into()));
            }
            token = next;
        }
    }
}

fn enablement(account: &AccountState) -> Enablement {
    // Whether it is on is its status: an error code is there even where all is well.
    let status = |state: Option<&State>| {
        state.map_or_else(String::new, |state| state.status().as_str().to_owned())
    };
    let scans = |on: &ResourceState| {
        [
            ("EC2", on.ec2()),
            ("ECR", on.ecr()),
            ("LAMBDA", on.lambda()),
            ("LAMBDA_CODE", on.lambda_code()),
            ("CODE_REPOSITORY", on.code_repository()),
            ("MACHINE_IMAGE", on.ami()),
        ]
        .into_iter()
        .filter(|(_, state)| state.is_some())
        .map(|(scan, state)| (scan, status(state)))
        .collect()
    };
    Enablement {
        account: account.account_id().to_owned(),
        status: status(account.state()),
        scans: account.resource_state().map(scans).unwrap_or_default(),
    }
}
