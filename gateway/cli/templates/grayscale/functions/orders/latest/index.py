"""Orders, the editable version: save a change and ask again."""

import json


async def main_handler(event, context):
    number = event["pathParameters"]["id"]
    order = {"id": number, "price": 90, "tax": 17.1, "total": 107.1, "draft": True}
    return {
        "isBase64Encoded": False,
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps({"version": context["function_version"], **order}),
    }
