"""The function's twin: the same work in the same calls, as one would write it in Python with boto3.

It scores, records, asks for leave, publishes and marks. What it knows of findings is less than what the real one knows.
"""

import hashlib
import json
import logging
import os
from datetime import datetime, timedelta, timezone

import boto3

TABLE = os.environ["TABLE_NAME"]
TOPIC = os.environ["TOPIC_ARN"]
BUDGET = dict(zip(["P1", "OTHERS"], os.environ.get("ALERT_BUDGET", "3,5").split(",")))
DAYS = {"P1": 2, "P2": 7, "P3": 30, "P4": 90}
SEVERITY = {"CRITICAL": 8, "HIGH": 5, "MEDIUM": 2}

logger = logging.getLogger()
logger.setLevel(logging.INFO)

# Made once, before the first event: later ones find connections that are open.
dynamodb = boto3.client("dynamodb")
sns = boto3.client("sns")


def handler(event, context):
    finding = event["detail"]
    now = datetime.now(timezone.utc)
    attempt = f"{context.aws_request_id}@{now.isoformat()}"
    assessment = assess(finding, now)
    row = refresh(finding, assessment, now)
    if row is not None and row["facts"]["S"] == facts(finding, assessment):
        return report(finding, assessment, "unchanged")
    revision = 1 + int(row["revision"]["N"]) if row else 1
    write(finding, assessment, revision, now)
    if finding["status"] != "ACTIVE":
        return report(finding, assessment, "closed")
    if row is not None:
        return report(finding, assessment, "unchanged")
    if not permit(finding, assessment, revision, attempt, now):
        return report(finding, assessment, "pending")
    sns.publish(TopicArn=TOPIC, **message(finding, assessment))
    mark(finding, revision + 1, attempt, now)
    return report(finding, assessment, "announced")


def assess(finding, now):
    """Points for what makes it urgent, and by when to act."""
    reasons = [
        (SEVERITY.get(finding["severity"], 0), f"Inspector rates it {finding['severity']}"),
        (round(40 * finding.get("epss", {}).get("score", 0) ** 0.5), "chance of exploitation (EPSS)"),
        (30 if finding.get("exploitAvailable") == "YES" else 0, "an exploit is known"),
        (2 if finding.get("fixAvailable") == "YES" else 0, "a fix can be installed"),
    ]
    reasons = [(points, text) for points, text in reasons if points]
    score = min(100, sum(points for points, _ in reasons))
    priority = "P1" if score >= 36 else "P2" if score >= 25 else "P3" if score >= 10 else "P4"
    due = now + timedelta(days=DAYS[priority])
    return {"score": score, "priority": priority, "dueAt": due.isoformat(), "reasons": reasons}


def facts(finding, assessment):
    """What people are told of; everything else may change in silence."""
    names = ["status", "severity", "exploitAvailable", "fixAvailable"]
    return "|".join([assessment["priority"], *(finding.get(name, "-") for name in names)])


def version(finding):
    return datetime.strptime(finding["updatedAt"], "%a %b %d %H:%M:%S.%f %Z %Y").isoformat()


def key(finding):
    return {"pk": {"S": "FINDING#" + finding["findingArn"]}, "sk": {"S": "CURRENT"}}


def refresh(finding, assessment, now):
    """Brings the row up to date if its facts are the same. Else gives it back, or None if there is none."""
    try:
        answer = dynamodb.update_item(
            TableName=TABLE,
            Key=key(finding),
            ConditionExpression="facts = :facts AND version < :version",
            UpdateExpression="SET version = :version, finding = :finding, assessment = :assessment, "
            "score = :score, last_seen_at = :now ADD revision :one",
            ExpressionAttributeValues={
                ":facts": {"S": facts(finding, assessment)},
                ":version": {"S": version(finding)},
                ":finding": {"S": json.dumps(finding)},
                ":assessment": {"S": json.dumps(assessment)},
                ":score": {"N": str(assessment["score"])},
                ":now": {"S": now.isoformat()},
                ":one": {"N": "1"},
            },
            ReturnValues="ALL_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return answer["Attributes"]
    except dynamodb.exceptions.ConditionalCheckFailedException as refused:
        return refused.response.get("Item")


def write(finding, assessment, revision, now):
    """The row and its history, both or neither."""
    row = key(finding) | {
        "facts": {"S": facts(finding, assessment)},
        "version": {"S": version(finding)},
        "revision": {"N": str(revision)},
        "status": {"S": finding["status"]},
        "severity": {"S": finding["severity"]},
        "priority": {"S": assessment["priority"]},
        "score": {"N": str(assessment["score"])},
        "account": {"S": finding["awsAccountId"]},
        "first_seen_at": {"S": now.isoformat()},
        "last_seen_at": {"S": now.isoformat()},
        "finding": {"S": json.dumps(finding)},
        "assessment": {"S": json.dumps(assessment)},
    }
    if finding["status"] == "ACTIVE":
        shard = hashlib.sha256(finding["findingArn"].encode()).digest()[0] % 16
        row |= {"open_shard": {"S": f"OPEN#{shard:02}"}, "due_at": {"S": assessment["dueAt"]}}
        row |= {"pending_shard": {"S": f"PENDING#{shard:02}"}, "pending_since": {"S": now.isoformat()}}
    put = {"TableName": TABLE, "Item": row, "ConditionExpression": "attribute_not_exists(pk)"}
    if revision > 1:
        put["ConditionExpression"] = "revision = :before"
        put["ExpressionAttributeValues"] = {":before": {"N": str(revision - 1)}}
    dynamodb.transact_write_items(
        TransactItems=[{"Put": put}, history(finding, "HISTORY#" + version(finding), now)]
    )


def permit(finding, assessment, revision, attempt, now):
    """The right to announce it: the lease of the row, a token and the problem, all or nothing."""
    bucket = "P1" if assessment["priority"] == "P1" else "OTHERS"
    until = {"N": str(int((now + timedelta(hours=24)).timestamp()))}
    lease = {
        "TableName": TABLE,
        "Key": key(finding),
        "ConditionExpression": "revision = :before",
        "UpdateExpression": "SET lease = :lease ADD revision :one",
        "ExpressionAttributeValues": {
            ":before": {"N": str(revision)},
            ":lease": {"M": {"holder": {"S": attempt}, "until": {"S": (now + timedelta(seconds=45)).isoformat()}}},
            ":one": {"N": "1"},
        },
    }
    token = {
        "TableName": TABLE,
        "Key": {"pk": {"S": f"BUCKET#{bucket}"}, "sk": {"S": f"{now:%Y-%m-%dT%H}"}},
        "ConditionExpression": "attribute_not_exists(taken) OR taken < :most",
        "UpdateExpression": "ADD taken :one",
        "ExpressionAttributeValues": {":most": {"N": BUDGET[bucket]}, ":one": {"N": "1"}},
    }
    problem = {
        "TableName": TABLE,
        "Item": {
            "pk": {"S": "PROBLEM#" + finding["packageVulnerabilityDetails"]["vulnerabilityId"]},
            "sk": {"S": "new"},
            "finding": {"S": finding["findingArn"]},
            "expires_at": until,
        },
        "ConditionExpression": "attribute_not_exists(pk) OR expires_at <= :now",
        "ExpressionAttributeValues": {":now": {"N": str(int(now.timestamp()))}},
    }
    try:
        dynamodb.transact_write_items(TransactItems=[{"Update": lease}, {"Update": token}, {"Put": problem}])
        return True
    except dynamodb.exceptions.TransactionCanceledException as refused:
        logger.info("waits for the summary: %s", refused)
        return False


def message(finding, assessment):
    vulnerability = finding["packageVulnerabilityDetails"]["vulnerabilityId"]
    packages = finding["packageVulnerabilityDetails"]["vulnerablePackages"]
    resource = finding["resources"][0]
    lines = [
        f"{finding['title']}",
        f"Where: {resource['id']} ({resource['type']}), account {finding['awsAccountId']}",
        f"By: {assessment['dueAt']}",
        "",
        f"{assessment['priority']}, score {assessment['score']} of 100. This finding is new.",
        *(f"{points:+4} {text}" for points, text in assessment["reasons"]),
        "",
        "What to do",
        *(f"  {p['name']} {p['version']} -> {p.get('fixedInVersion', 'no fix yet')}" for p in packages),
        "",
        finding["description"],
        "",
        f"Finding: {finding['findingArn']}",
    ]
    attributes = {"priority": assessment["priority"], "severity": finding["severity"], "reason": "new"}
    return {
        "Subject": f"[{assessment['priority']}] {vulnerability} {resource['id']}"[:99],
        "Message": "\n".join(lines),
        "MessageAttributes": {
            name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
        },
    }


def mark(finding, revision, attempt, now):
    """Remembers that people were told, and ends the lease."""
    told = {
        "TableName": TABLE,
        "Key": key(finding),
        "ConditionExpression": "lease.holder = :holder AND revision = :before",
        "UpdateExpression": "SET announced = :told REMOVE lease, pending_shard, pending_since ADD revision :one",
        "ExpressionAttributeValues": {
            ":holder": {"S": attempt},
            ":before": {"N": str(revision)},
            ":told": {"M": {"at": {"S": now.isoformat()}, "why": {"S": "new"}}},
            ":one": {"N": "1"},
        },
    }
    dynamodb.transact_write_items(
        TransactItems=[{"Update": told}, history(finding, "ANNOUNCED#" + now.isoformat(), now)]
    )


def history(finding, sk, now):
    item = {
        "pk": {"S": "FINDING#" + finding["findingArn"]},
        "sk": {"S": sk},
        "at": {"S": now.isoformat()},
        "status": {"S": finding["status"]},
        "expires_at": {"N": str(int((now + timedelta(days=400)).timestamp()))},
    }
    return {"Put": {"TableName": TABLE, "Item": item}}


def report(finding, assessment, outcome):
    logger.info("triaged %s: %s", finding["findingArn"], outcome)
    return {
        "findingArn": finding["findingArn"],
        "priority": assessment["priority"],
        "score": assessment["score"],
        "dueAt": assessment["dueAt"],
        "outcome": outcome,
    }
