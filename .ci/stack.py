"""The whole stack on this machine: what SAM makes of the template, created and driven in ministack, an AWS emulator that
nobody of this project wrote, with its own CloudFormation, EventBridge, Lambda, DynamoDB, SNS and SQS.

    .tools/stack/bin/python .ci/stack.py FOLDER            creates it, sends the sample events, looks, ends
    .tools/stack/bin/python .ci/stack.py FOLDER --keep     the same, and leaves it running
    … --command-line target/debug/inspector-triage         has its `doctor` look at the stack, well and ill

The folder has triage.zip and review.zip. .ci/stack.sh does that with functions that it builds. CI takes those that SAM built.

What ministack cannot do is left out, in `adapted`, which names each gap. It needs no Docker: a function of a provided
runtime runs as a process.
"""

import argparse
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time

import boto3

from emulated import check, receive

STACK = "inspector-triage"
ACCOUNT = "111122223333"
REGION = "eu-central-1"
FUNCTIONS = {"TriageFunction": "triage.zip", "ReviewFunction": "review.zip"}
DAILY = {"source": "inspector-triage", "detail-type": "Triage Daily"}
WEEKLY = {"source": "inspector-triage", "detail-type": "Triage Weekly"}
FLUSH = {"source": "inspector-triage", "detail-type": "Triage Flush"}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    arguments.add_argument("folder", type=pathlib.Path, help="the functions, as `sam build` makes them, in zips")
    arguments.add_argument("--keep", action="store_true", help="leave it running until Ctrl-C")
    arguments.add_argument("--command-line", type=pathlib.Path, help="inspector-triage, with the feature redrive")
    arguments = arguments.parse_args()
    with Ministack() as endpoint:
        os.environ.update(
            AWS_ENDPOINT_URL=endpoint,
            AWS_REGION=REGION,
            AWS_DEFAULT_REGION=REGION,
            AWS_ACCESS_KEY_ID="local",
            AWS_SECRET_ACCESS_KEY="local",
        )
        outputs = create(arguments.folder)
        drive(outputs)
        ask_inspector(outputs)
        review(outputs)
        if arguments.command_line:
            examine(arguments.command_line, outputs)
        if arguments.keep:
            names = ["AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"]
            print("\nleft running; stop with Ctrl-C. In another terminal:\n")
            print(*(f"export {name}={os.environ[name]}" for name in names), sep="\n")
            print(f"aws cloudformation describe-stacks --stack-name {STACK}")
            signal.sigwait({signal.SIGINT, signal.SIGTERM})


def create(folder):
    """Creates the stack, and returns its outputs."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    for name in FUNCTIONS.values():
        s3.put_object(Bucket="bucket", Key=name, Body=(folder / name).read_bytes())
    cloudformation = boto3.client("cloudformation")
    parameters = {"NotificationEmail": "security@example.com", "EnableDataTopic": "true", "SummaryMinutes": "0", "EnableReviewBucket": "true"}
    template = adapted(json.loads(pathlib.Path("tests/translated.json").read_text()))
    # In the bucket, because it is larger than what fits a request.
    s3.put_object(Bucket="bucket", Key="template.json", Body=json.dumps(template))
    cloudformation.create_stack(
        StackName=STACK,
        TemplateURL=f"{os.environ['AWS_ENDPOINT_URL']}/bucket/template.json",
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = until("the stack is created", lambda: created(cloudformation), 120)
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def created(cloudformation):
    (stack,) = cloudformation.describe_stacks(StackName=STACK)["Stacks"]
    if stack["StackStatus"] == "CREATE_COMPLETE":
        return stack
    if stack["StackStatus"] != "CREATE_IN_PROGRESS":
        events = cloudformation.describe_stack_events(StackName=STACK)["StackEvents"]
        reasons = [
            f"{event['LogicalResourceId']}: {event['ResourceStatusReason']}"
            for event in events
            if "FAILED" in event["ResourceStatus"]
        ]
        sys.exit(f"the stack is {stack['StackStatus']}: {'; '.join(reasons)}")
    return None


def adapted(template):
    """The template without what ministack does not know."""
    for parameter in template["Parameters"].values():
        # It takes the values of a list for one value.
        if parameter["Type"] == "CommaDelimitedList":
            parameter.pop("AllowedValues", None)
    # It knows no metric math, so the alarms by it are not there, nor the dashboard that shows them.
    by_math = {name for name, resource in template["Resources"].items() if "Metrics" in resource.get("Properties", {})}
    for name in by_math | {"Dashboard"}:
        del template["Resources"][name]
    del template["Outputs"]["DashboardUrl"]
    for name, zip_file in FUNCTIONS.items():
        template["Resources"][name]["Properties"]["Code"]["S3Key"] = zip_file
    for resource in template["Resources"].values():
        # It takes no event whose source begins with `aws.`, which AWS keeps for itself.
        pattern = resource.get("Properties", {}).get("EventPattern", {})
        if "source" in pattern:
            pattern["source"] = [source.removeprefix("aws.") for source in pattern["source"]]
    return template


def drive(outputs):
    """Sends the sample events in at the rules, and looks at what comes out at the topics."""
    inbox = subscribe(outputs["DataTopicArn"])
    mail = subscribe(outputs["TopicArn"])
    events = boto3.client("events")
    expected = set()
    for file in sorted(pathlib.Path("events").glob("*.json")):
        event = json.loads(file.read_text())
        if not isinstance(event, dict) or event.get("source") != "aws.inspector2":
            continue
        entry = {"Source": "inspector2", "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
        answer = events.put_events(Entries=[entry])
        if answer["FailedEntryCount"]:
            sys.exit(f"{file.name} is refused: {answer['Entries']}")
        detail = event["detail"]
        if detail["status"] == "ACTIVE" and detail["severity"] in ("HIGH", "CRITICAL"):
            expected.add(detail["findingArn"])

    table = boto3.resource("dynamodb").Table(outputs["TableName"])
    until("the findings are recorded", lambda: expected <= recorded(table), 60)
    print(f"{len(expected)} findings went in at the rules and are recorded")

    function = boto3.client("lambda")
    told = set()

    def all_told():
        function.invoke(FunctionName=outputs["FunctionName"], Payload=json.dumps(FLUSH))
        for message in receive(inbox):
            told.update(finding["findingArn"] for finding in json.loads(message["Message"])["findings"])
        return expected - ended(table) <= told

    until("programs are told of all of them", all_told, 60)
    check(told, f"{len(told)} findings came out at the topic for programs")
    subjects = [message["Subject"] for message in receive(mail)]
    check(any("CVE-2026-10417" in subject for subject in subjects), f"{len(subjects)} e-mails, such as {subjects[0]}")
    for queue in ("FailureQueueUrl", "UndeliveredQueueUrl"):
        left = boto3.client("sqs").receive_message(QueueUrl=outputs[queue]).get("Messages", [])
        check(not left, f"nothing is in {queue}: {left}")


def ask_inspector(outputs):
    """Has the daily round ask ministack's Inspector, which has accounts, and findings of its own if any."""
    answer = boto3.client("lambda").invoke(FunctionName=outputs["ReviewFunctionName"], Payload=json.dumps(DAILY))
    answer = json.load(answer["Payload"])
    done = answer.get("outcome") == "done" and all("failed" not in part for part in answer["parts"].values())
    check(done, f"the daily round is done: {answer}")


def review(outputs):
    """Has the review of the week made, and looks at what is kept of it."""
    answer = boto3.client("lambda").invoke(FunctionName=outputs["ReviewFunctionName"], Payload=json.dumps(WEEKLY))
    answer = json.load(answer["Payload"])
    told = answer.get("parts", {}).get("review", {})
    check(answer.get("outcome") == "done" and told.get("messages") == 2, f"the review is told: {answer}")
    bucket = boto3.resource("s3").Bucket(outputs["ReviewBucket"])
    kept = {pathlib.PurePath(one.key).suffix: one.get()["Body"].read() for one in bucket.objects.filter(Prefix="reviews/")}
    data = json.loads(kept.get(".json", b"{}"))
    is_page = kept.get(".html", b"").startswith(b"<!doctype html>")
    check(is_page and data.get("open", {}).get("total") == told["open"], f"page and data are kept: {sorted(kept)}")


def examine(command_line, outputs):
    """Has `doctor` look at the stack as it is, and once more after somebody has broken it."""
    doctor = Doctor(command_line)
    dynamodb, events = boto3.client("dynamodb"), boto3.client("events")
    table = outputs["TableName"]
    # What its CloudFormation leaves undone.
    expiry = {"Enabled": True, "AttributeName": "expires_at"}
    dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=expiry)
    backups = {"PointInTimeRecoveryEnabled": True}
    dynamodb.update_continuous_backups(TableName=table, PointInTimeRecoverySpecification=backups)
    # It takes no metrics out of logs.
    function = {"Name": "function", "Value": outputs["FunctionName"]}
    flushes = {"MetricName": "Flushes", "Value": 1, "Dimensions": [function], "Timestamp": time.time() - 60}
    boto3.client("cloudwatch").put_metric_data(Namespace="InspectorTriage", MetricData=[flushes])
    states = doctor.states()
    ill = {what for what, state in states.items() if state != "ok"} - {"Amazon Inspector"}  # which is off there for ever
    check(not ill, f"doctor finds the stack well: {states}")

    rule = boto3.client("cloudformation").describe_stack_resource(StackName=STACK, LogicalResourceId="OpenFindingsRule")
    events.disable_rule(Name=rule["StackResourceDetail"]["PhysicalResourceId"])
    sqs = boto3.client("sqs")
    sqs.send_message(QueueUrl=outputs["FailureQueueUrl"], MessageBody="{}")
    boto3.client("lambda").put_function_concurrency(FunctionName=outputs["FunctionName"], ReservedConcurrentExecutions=0)
    topic = boto3.resource("sns").Topic(outputs["DataTopicArn"])
    for subscription in topic.subscriptions.all():
        subscription.delete()
    alarm = f"{STACK}-oldest-pending"
    boto3.client("cloudwatch").set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="37 minutes")
    states = doctor.states()
    ill = {what for what, state in states.items() if state == "WRONG"}
    broken = {
        "rule OpenFindingsRule",
        "queue FailureQueue",
        "function TriageFunction",
        "topic DataTopic",
        f"alarm {alarm}",
        "Amazon Inspector",
    }
    check(ill == broken, f"doctor finds what was broken, and nothing else: {sorted(ill)}")
    events.enable_rule(Name=rule["StackResourceDetail"]["PhysicalResourceId"])
    boto3.client("lambda").delete_function_concurrency(FunctionName=outputs["FunctionName"])
    sqs.purge_queue(QueueUrl=outputs["FailureQueueUrl"])

    status, _, said = doctor.ask("no-such-stack")
    line = said.strip()
    check(status == 1 and "\n" not in line and "see that there is a stack no-such-stack" in line, line)


class Doctor:
    """`inspector-triage doctor`."""

    def __init__(self, command_line):
        self.command_line = command_line

    def ask(self, stack):
        command = [self.command_line, "doctor", "--stack", stack]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def states(self):
        """What was looked at, each with its state."""
        status, said, problem = self.ask(STACK)
        check(not problem, f"doctor ends with {status}: {problem}")
        rows = [line.strip("| ").split(" | ") for line in said.splitlines() if line.startswith("| ")][1:]
        return {row[0].strip(): row[1].strip() for row in rows}


def recorded(table):
    return {row["pk"].removeprefix("FINDING#") for row in table.scan()["Items"] if row["sk"] == "CURRENT"}


def ended(table):
    rows = (row for row in table.scan()["Items"] if row["sk"] == "CURRENT" and "status" in row)
    return {row["pk"].removeprefix("FINDING#") for row in rows if row["status"] in ("CLOSED", "SUPPRESSED")}


def subscribe(topic):
    queue = boto3.resource("sqs").create_queue(QueueName=topic.rpartition(":")[2] + "-inbox")
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue.attributes["QueueArn"])
    return queue


def until(what, holds, seconds):
    """Waits for something, and returns it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            print(what)
            return found
        time.sleep(0.2)
    sys.exit(f"not so within {seconds} s: {what}")


class Ministack:
    """The emulator, on a free port."""

    def __enter__(self):
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.folder = tempfile.TemporaryDirectory()
        self.log = open(pathlib.Path(self.folder.name) / "log", "w+")
        names = {"GATEWAY_PORT": str(port), "BIND_HOST": "127.0.0.1", "MINISTACK_ACCOUNT_ID": ACCOUNT, "MINISTACK_REGION": REGION}
        names["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{port}"  # for the functions
        command = [pathlib.Path(sys.executable).parent / "ministack"]
        self.process = subprocess.Popen(
            command, cwd=self.folder.name, env=os.environ | names, stdout=self.log, stderr=subprocess.STDOUT
        )
        for _ in range(300):
            if self.process.poll() is not None:
                break
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return f"http://127.0.0.1:{port}"
            time.sleep(0.1)
        self.log.seek(0)
        sys.exit(f"ministack does not start: {self.log.read()[-2000:]}")

    def __exit__(self, kind, *_):
        self.process.terminate()
        self.process.wait()
        if kind:
            self.log.seek(0)
            print(self.log.read()[-20000:], file=sys.stderr)
        self.log.close()
        self.folder.cleanup()


main()
