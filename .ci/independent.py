"""The real function against somebody else's idea of AWS: moto's DynamoDB, SNS and SQS.

The tests use a store and a topic that this project brings along. What it got wrong about AWS, they could have wrong
too; moto was written by others. Needs `.tools/bin` on PATH and the Python of `.tools/lambda`: see .ci/run.
"""

import json
import logging
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import boto3
from boto3.dynamodb.conditions import Key
from cfnlint.decode import cfn_yaml
from moto.server import ThreadedMotoServer

from emulated import check, receive

REGION = "eu-central-1"
EVENT = json.loads(pathlib.Path("events/01-critical-exploit-and-fix.json").read_text())
COMMAND_LINE = ["--features", "cli,like-tests,redrive", "--bin", "inspector-triage"]


def main():
    # Beforehand: cargo lambda ends a function that has had nothing to do for as long as a build may take.
    subprocess.run(["cargo", "build", "--locked", "--quiet", *COMMAND_LINE], check=True)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    aws = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    aws.start()
    host, port = aws.get_host_and_port()
    os.environ.update(
        AWS_ENDPOINT_URL=f"http://{host}:{port}",
        AWS_REGION=REGION,
        AWS_DEFAULT_REGION=REGION,
        AWS_ACCESS_KEY_ID="local",
        AWS_SECRET_ACCESS_KEY="local",
    )
    table = create_table()
    topic = boto3.client("sns").create_topic(Name="alerts")["TopicArn"]
    flush = {"source": "inspector-triage", "detail-type": "Triage Flush"}

    with function(TABLE_NAME=table, TOPIC_ARN=topic, SUMMARY_MINUTES="0") as endpoint:
        early = another_event("cafe", "CVE-2026-10419")
        check(invoke(endpoint, early)["outcome"] == "pending", "before anybody listens, a finding waits")
        check(invoke(endpoint, flush) == {"outcome": "flushed", "findings": 0, "messages": 0}, "and goes on waiting")
        everything, urgent, others = subscribe(topic, None), subscribe(topic, ["P1"]), subscribe(topic, ["P3", "P4"])
        check(invoke(endpoint, flush) == {"outcome": "flushed", "findings": 1, "messages": 1}, "until somebody does")
        summary = one(receive(everything))
        check(summary["Subject"].startswith("[P1] 1 finding: CVE-2026-10419"), "who then hears of it")
        account = summary["MessageAttributes"]["account"]
        check(account == {"Type": "String.Array", "Value": '["111122223333"]'}, "with each account of a summary")
        receive(urgent)

        check(invoke(endpoint, EVENT)["outcome"] == "announced", "a new finding is announced")
        check(invoke(endpoint, EVENT)["outcome"] == "unchanged", "a repetition is not")
        message = one(receive(everything))
        check(message["Subject"].startswith("[P1] CVE-2026-10417 httpd"), "the subject arrives as it was sent")
        attributes = {name: value["Value"] for name, value in message["MessageAttributes"].items()}
        check(attributes["priority"] == "P1" and attributes["reason"] == "new", "with its attributes")
        check(len(receive(urgent)) == 1 and not receive(others), "a subscription can filter by them")

        rows = rows_of(table, EVENT)
        check(
            [row["sk"].split("#")[0] for row in rows] == ["ANNOUNCED", "CURRENT", "HISTORY"],
            "a row, its transition and its announcement are recorded",
        )
        check("lease" not in rows[1] and "pending_shard" not in rows[1], "nothing is left to do")
        check(indexed(table, "open-by-due", "open_shard", rows[1]) == 1, "it is among the open findings")

        check(invoke(endpoint, after("status", "CLOSED"))["outcome"] == "closed", "an end is recorded")
        closed = rows_of(table, EVENT)[1]
        check(closed["status"] == "CLOSED" and "open_shard" not in closed, "and it is open no more")
        check(not receive(everything), "without a message")

        failed = another_event("beef", "CVE-2026-10418")
        queue = failure_queue(failed)
        seen = triage("replay", "--from-queue", queue)
        check("had failed: RetriesExhausted after 3 invocations: StoreFailed: no such table" in seen, seen)
        check(not rows_of(table, failed), "looking at the failure queue changes nothing")
        again = triage("redrive", "--from-queue", queue, "--to", "triage", AWS_ENDPOINT_URL_LAMBDA=endpoint)
        check("1 sent to triage, 0 left in the queue" in again, again)
        check(one(receive(everything))["Subject"].startswith("[P"), "what had failed is announced after all")

        known = [another_event(f"{number:04x}") for number in range(40)]
        outcomes = {invoke(endpoint, event)["outcome"] for event in known}
        check(outcomes == {"pending"}, "what people know waits")
        flushed = invoke(endpoint, flush)
        check(flushed == {"outcome": "flushed", "findings": 40, "messages": 1}, "and is summed up")
        summary = one(receive(everything))
        check(summary["Subject"].startswith("[P1] 40 findings: CVE-2026-10417"), "in one message")
        check(invoke(endpoint, flush)["outcome"] == "nothing-pending", "once")

        check("0 sent to triage, 0 left" in triage("redrive", "--from-queue", queue, "--to", "triage"), "once")
    aws.stop()


def create_table():
    """Creates the table of template.yaml."""
    resources = cfn_yaml.load("template.yaml")["Resources"]
    (properties,) = (r["Properties"] for r in resources.values() if r["Type"] == "AWS::DynamoDB::Table")
    names = ["BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes"]
    request = json.loads(json.dumps({name: properties[name] for name in names}))
    return boto3.client("dynamodb").create_table(TableName="findings", **request)["TableDescription"]["TableName"]


def subscribe(topic, priorities):
    """A queue that gets what is published to the topic: all, or these priorities."""
    sqs = boto3.resource("sqs")
    queue = sqs.create_queue(QueueName="-".join(["inbox", *(priorities or [])]))
    attributes = {"FilterPolicy": json.dumps({"priority": priorities})} if priorities else {}
    boto3.client("sns").subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=queue.attributes["QueueArn"], Attributes=attributes
    )
    return queue


def one(messages):
    check(len(messages) == 1, f"one message (there are {len(messages)})")
    return messages[0]


def rows_of(table, event):
    key = Key("pk").eq("FINDING#" + event["detail"]["findingArn"])
    return boto3.resource("dynamodb").Table(table).query(KeyConditionExpression=key)["Items"]


def indexed(table, index, shard, row):
    found = boto3.resource("dynamodb").Table(table).query(
        IndexName=index, KeyConditionExpression=Key(shard).eq(row[shard])
    )
    return found["Count"]


def after(field, value):
    """The event an hour later, with another value of a field."""
    event = json.loads(json.dumps(EVENT))
    event["detail"].update({field: value, "updatedAt": "2026-11-20T23:00:00Z"})
    return event


def another_event(end, vulnerability="CVE-2026-10417"):
    event = json.loads(json.dumps(EVENT))
    event["detail"]["packageVulnerabilityDetails"]["vulnerabilityId"] = vulnerability
    event["detail"]["findingArn"] = event["detail"]["findingArn"][:-4] + end
    return event


def failure_queue(event):
    """A queue as Lambda leaves it after its last try of an event."""
    queue = boto3.resource("sqs").create_queue(QueueName="failures")
    record = {
        "version": "1.0",
        "requestContext": {"condition": "RetriesExhausted", "approximateInvokeCount": 3},
        "requestPayload": event,
        "responsePayload": {"errorType": "StoreFailed", "errorMessage": "no such table"},
    }
    queue.send_message(MessageBody=json.dumps(record))
    return queue.url


class function:
    """The function under `cargo lambda watch`."""

    def __init__(self, **environment):
        self.environment = environment

    def __enter__(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.file = tempfile.NamedTemporaryFile("w", dir=".tools", suffix=".env")
        names = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
        lines = {name: os.environ[name] for name in names} | self.environment
        self.file.write("".join(f"{name}={value}\n" for name, value in lines.items()))
        self.file.flush()
        command = ["cargo", "lambda", "watch", "--invoke-address", "127.0.0.1", "--invoke-port", str(port)]
        command += ["--env-file", self.file.name, "--timeout", "60", "--ignore-changes"]
        self.process = subprocess.Popen(command)
        for _ in range(600):
            if self.process.poll() is not None:
                sys.exit("cargo lambda watch has ended")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}"
            time.sleep(0.1)
        sys.exit("cargo lambda watch does not listen")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.file.close()


def invoke(endpoint, event):
    lambda_ = boto3.client("lambda", endpoint_url=endpoint)
    answer = lambda_.invoke(FunctionName="triage", Payload=json.dumps(event))
    return json.load(answer["Payload"])


def triage(*arguments, **environment):
    """Runs the command line and returns what it prints."""
    command = ["cargo", "run", "--locked", "--quiet", *COMMAND_LINE, "--", *arguments]
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True)
    check(done.returncode == 0, f"{' '.join(arguments[:1])} ends well {done.stderr}")
    return done.stdout


main()
