"""The daily listing's twin: all of Inspector's findings into the table, as one would write it in Python with boto3.

`handler` does for each finding what the real one does: it reads the row, and writes row and history in one transaction,
under a condition. `put_only` writes the row, whatever is there.
"""

import json
import os
from datetime import datetime, timedelta, timezone

import boto3

TABLE = os.environ["TABLE_NAME"]

inspector = boto3.client("inspector2")
dynamodb = boto3.client("dynamodb")


def handler(event, context):
    return record_all(record)


def put_only(event, context):
    return record_all(put)


def record_all(write):
    counts = {"listed": 0, "new": 0, "unchanged": 0}
    pages = inspector.get_paginator("list_findings").paginate(
        filterCriteria={
            "findingStatus": [{"comparison": "EQUALS", "value": status} for status in ("ACTIVE", "SUPPRESSED")]
        },
        sortCriteria={"field": "FIRST_OBSERVED_AT", "sortOrder": "ASC"},
        PaginationConfig={"PageSize": 100},
    )
    for page in pages:
        for finding in page["findings"]:
            counts["listed"] += 1
            counts[write(finding)] += 1
    return {"outcome": "done", "parts": {"listing": counts}}


def record(finding):
    row = to_row(finding)
    known = dynamodb.get_item(
        TableName=TABLE, Key={"pk": row["pk"], "sk": row["sk"]}, ConsistentRead=True
    ).get("Item")
    if known and known["version"] == row["version"]:
        return "unchanged"
    put = {"TableName": TABLE, "Item": row, "ConditionExpression": "attribute_not_exists(pk)"}
    if known:
        put["ConditionExpression"] = "version = :before"
        put["ExpressionAttributeValues"] = {":before": known["version"]}
    history = {
        "pk": row["pk"],
        "sk": {"S": "HISTORY#" + row["version"]["S"]},
        "at": {"S": datetime.now(timezone.utc).isoformat()},
        "status": row["status"],
        "expires_at": {"N": str(int((datetime.now(timezone.utc) + timedelta(days=400)).timestamp()))},
    }
    dynamodb.transact_write_items(
        TransactItems=[{"Put": put}, {"Put": {"TableName": TABLE, "Item": history}}]
    )
    return "new"


def put(finding):
    dynamodb.put_item(TableName=TABLE, Item=to_row(finding))
    return "new"


def to_row(finding):
    return {
        "pk": {"S": "FINDING#" + finding["findingArn"]},
        "sk": {"S": "CURRENT"},
        "version": {"S": finding["updatedAt"].isoformat()},
        "status": {"S": finding["status"]},
        "severity": {"S": finding["severity"]},
        "account": {"S": finding["awsAccountId"]},
        "finding": {"S": json.dumps(finding, default=str)},
    }
