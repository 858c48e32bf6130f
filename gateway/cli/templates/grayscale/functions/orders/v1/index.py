"""Orders, version 1: the price."""

import json


async def main_handler(event, context):
    number = event["pathParameters"]["id"]
    order = {"id": number, "price": 100}
    return {
        "isBase64Encoded": False,
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"version": context["function_version"], **order}),
    }
