"""What the checks against emulated AWS have in common."""

import json
import sys


def check(holds, what):
    """Says what holds, and ends everything if it does not."""
    if not holds:
        sys.exit(f"not so: {what}")
    print(what.splitlines()[-1])


def receive(queue):
    """Takes all messages off a queue that is subscribed to a topic."""
    bodies = []
    while messages := queue.receive_messages(MaxNumberOfMessages=10):
        for message in messages:
            bodies.append(json.loads(message.body))
            message.delete()
    return bodies
