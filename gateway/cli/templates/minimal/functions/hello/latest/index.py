"""Greets whoever the path names. Save a change and ask again: it is live."""

import json


async def main_handler(event, context):
    name = event["pathParameters"]["name"]
    body = {"greeting": f"Hello, {name}!", "version": context["function_version"]}
    return {
        "isBase64Encoded": False,
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
    }
