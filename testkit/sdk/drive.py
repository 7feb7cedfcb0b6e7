"""Drives the fakes of model vendors with the vendors' own SDKs.

Usage: drive.py ANTHROPIC_BASE OPENAI_BASE GOOGLE_BASE KEY

Each check asks a fake what the SDK can ask and looks at the objects that the SDK makes of the
answer: plain, streamed, in a form, with tools, and errors with their own exception classes. Ends
with 0 and one line a check, or with the first check that fails.
"""

import json
import sys
import urllib.request

import anthropic
import openai
from google import genai
from google.genai import errors as google_errors
from google.genai import types

ANTHROPIC, OPENAI, GOOGLE, KEY = sys.argv[1:5]
SCHEMA = {
    "type": "object",
    "properties": {"headline": {"type": "string"}, "valid": {"type": "boolean"}},
    "required": ["headline", "valid"],
    "additionalProperties": False,
}
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


def play(base, **what):
    """Tells a fake what to do with its next call."""
    root = base.removesuffix("/v1")
    body = json.dumps(what).encode()
    request = urllib.request.Request(root + "/_play", data=body, method="POST")
    urllib.request.urlopen(request).read()


def ledger(base):
    with urllib.request.urlopen(base.removesuffix("/v1") + "/_ledger") as answer:
        return json.load(answer)


def check(name, holds, seen=None):
    if not holds:
        raise SystemExit(f"FAILED {name}: {seen!r}")
    print(f"ok {name}")


def raises(name, kind, call):
    try:
        call()
    except kind as error:
        print(f"ok {name}: {type(error).__name__}")
        return error
    raise SystemExit(f"FAILED {name}: no {kind.__name__}")


def drive_anthropic():
    client = anthropic.Anthropic(api_key=KEY, base_url=ANTHROPIC, max_retries=0)
    ask = {"model": "claude-haiku-4-5", "max_tokens": 200}
    hello = [{"role": "user", "content": "Hello"}]

    plain = client.messages.create(messages=hello, **ask)
    check("anthropic plain", plain.content[0].text.startswith("Good morning"), plain)
    check("anthropic plain ends", plain.stop_reason == "end_turn", plain.stop_reason)
    last = ledger(ANTHROPIC)[-1]
    check("anthropic usage", plain.usage.output_tokens == last["output"], plain.usage)
    check("anthropic cache", plain.usage.cache_read_input_tokens == last["cached"], plain.usage)

    with client.messages.stream(messages=hello, **ask) as stream:
        pieces = list(stream.text_stream)
        whole = stream.get_final_message()
    check("anthropic streamed", len(pieces) > 2 and "".join(pieces) == plain.content[0].text, pieces)
    check("anthropic streamed usage", whole.usage.output_tokens == last["output"], whole.usage)

    tool = {"name": "answer", "description": "Takes the answer.", "input_schema": SCHEMA}
    forced = {"tools": [tool], "tool_choice": {"type": "tool", "name": "answer"}}
    with client.messages.stream(messages=hello, **ask, **forced) as stream:
        whole = stream.get_final_message()
    block = whole.content[0]
    check("anthropic forced tool", block.type == "tool_use" and block.input["valid"] is True, whole)
    check("anthropic forced tool ends", whole.stop_reason == "tool_use", whole.stop_reason)

    talk = hello + [
        {"role": "assistant", "content": [block.model_dump(include={"type", "id", "name", "input"})]},
        {"role": "user", "content": [{
            "type": "tool_result", "tool_use_id": block.id, "is_error": True, "content": "again",
        }]},
    ]
    again = client.messages.create(messages=talk, **ask, **forced)
    check("anthropic correction", again.content[0].type == "tool_use", again)

    form = {"format": {"type": "json_schema", "schema": SCHEMA}}
    modern = {"model": "claude-sonnet-5-5", "max_tokens": 200}
    formed = client.messages.create(messages=hello, output_config=form, **modern)
    check("anthropic form", json.loads(formed.content[0].text)["valid"] is True, formed)
    raises("anthropic forced tool of a modern model", anthropic.BadRequestError,
           lambda: client.messages.create(messages=hello, **modern, **forced))

    for fault, kind in [
        ("wrong_key", anthropic.AuthenticationError),
        ("forbidden", anthropic.PermissionDeniedError),
        ("no_model", anthropic.NotFoundError),
        ("unprocessable", anthropic.UnprocessableEntityError),
        ("limited_seconds", anthropic.RateLimitError),
        ("internal", anthropic.InternalServerError),
    ]:
        play(ANTHROPIC, fault=fault)
        error = raises(f"anthropic {fault}", kind, lambda: client.messages.create(messages=hello, **ask))
        check(f"anthropic {fault} names its request", error.request_id == "req_fake_0001", error)
    play(ANTHROPIC, fault="overloaded")
    error = raises("anthropic overloaded", anthropic.APIStatusError,
                   lambda: client.messages.create(messages=hello, **ask))
    check("anthropic overloaded is 529", error.status_code == 529, error)
    play(ANTHROPIC, fault="error_mid_stream")
    raises("anthropic error in a stream", anthropic.APIError,
           lambda: list(client.messages.create(messages=hello, stream=True, **ask)))
    play(ANTHROPIC, fault="refusal")
    refused = client.messages.create(messages=hello, **ask)
    check("anthropic refusal", refused.stop_reason == "refusal", refused)


def drive_openai():
    client = openai.OpenAI(api_key=KEY, base_url=OPENAI, max_retries=0)
    hello = [{"role": "user", "content": "Hello"}]
    ask = {"model": "gpt-6-luna"}

    plain = client.chat.completions.create(messages=hello, **ask)
    check("openai plain", plain.choices[0].message.content.startswith("Good morning"), plain)
    last = ledger(OPENAI)[-1]
    check("openai usage", plain.usage.completion_tokens == last["output"], plain.usage)
    cached = plain.usage.prompt_tokens_details.cached_tokens
    check("openai cache", cached == last["cached"], plain.usage)

    options = {"include_usage": True}
    stream = client.chat.completions.create(
        messages=hello, stream=True, stream_options=options, **ask)
    chunks = list(stream)
    pieces = [c.choices[0].delta.content for c in chunks if c.choices and c.choices[0].delta.content]
    check("openai streamed", "".join(pieces) == plain.choices[0].message.content, pieces)
    check("openai streamed usage", chunks[-1].usage.completion_tokens == last["output"], chunks[-1])
    check("openai streamed end", chunks[-2].choices[0].finish_reason == "stop", chunks[-2])

    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True}}
    with client.chat.completions.stream(messages=hello, response_format=form, **ask) as stream:
        formed = stream.get_final_completion()
    check("openai form", json.loads(formed.choices[0].message.content)["valid"] is True, formed)
    loose = {"type": "json_schema", "json_schema": {
        "name": "answer", "schema": {"type": "object", "properties": SCHEMA["properties"]},
        "strict": True,
    }}
    raises("openai strict schema that is not", openai.BadRequestError,
           lambda: client.chat.completions.create(messages=hello, response_format=loose, **ask))

    tools = [{"type": "function", "function": {"name": "weather", "parameters": CITY}}]
    able = {"model": "gpt-6-luna", "reasoning_effort": "none", "tools": tools}
    play(OPENAI, tools=[["weather", {"city": "Kyoto"}]])
    with client.chat.completions.stream(messages=hello, **able) as stream:
        asked = stream.get_final_completion().choices[0]
    call = asked.message.tool_calls[0]
    check("openai tool", json.loads(call.function.arguments) == {"city": "Kyoto"}, asked)
    check("openai tool ends", asked.finish_reason == "tool_calls", asked)
    talk = hello + [
        {"role": "assistant", "tool_calls": [{
            "id": call.id, "type": "function",
            "function": {"name": call.function.name, "arguments": call.function.arguments},
        }]},
        {"role": "tool", "tool_call_id": call.id, "content": "rain"},
    ]
    client.chat.completions.create(messages=talk, **able)
    print("ok openai tool result")

    for fault, kind in [
        ("wrong_key", openai.AuthenticationError),
        ("forbidden", openai.PermissionDeniedError),
        ("no_model", openai.NotFoundError),
        ("conflict", openai.ConflictError),
        ("limited_seconds", openai.RateLimitError),
        ("spent", openai.RateLimitError),
        ("internal", openai.InternalServerError),
    ]:
        play(OPENAI, fault=fault)
        error = raises(f"openai {fault}", kind,
                       lambda: client.chat.completions.create(messages=hello, **ask))
        check(f"openai {fault} names its request", error.request_id == "req_fake_0001", error)
        if fault == "spent":
            check("openai spent has its code", error.code == "insufficient_quota", error)
    play(OPENAI, fault="error_mid_stream")
    raises("openai error in a stream", openai.APIError,
           lambda: list(client.chat.completions.create(messages=hello, stream=True, **ask)))
    play(OPENAI, fault="refusal")
    refused = client.chat.completions.create(messages=hello, **ask)
    check("openai refusal", refused.choices[0].message.refusal, refused)


def drive_google():
    client = genai.Client(api_key=KEY, http_options=types.HttpOptions(base_url=GOOGLE))
    ask = {"model": "gemini-3.8-flash", "contents": "Hello"}

    plain = client.models.generate_content(**ask)
    check("google plain", plain.text.startswith("Good morning"), plain)
    last = ledger(GOOGLE)[-1]
    usage = plain.usage_metadata
    output = usage.candidates_token_count + usage.thoughts_token_count
    check("google usage", output == last["output"], usage)
    check("google cache", usage.cached_content_token_count == last["cached"], usage)

    chunks = list(client.models.generate_content_stream(**ask))
    text = "".join(chunk.text or "" for chunk in chunks)
    check("google streamed", text == plain.text and len(chunks) > 2, text)
    end = chunks[-1].candidates[0].finish_reason
    check("google streamed end", end == types.FinishReason.STOP, end)

    config = types.GenerateContentConfig(
        response_mime_type="application/json", response_json_schema=SCHEMA)
    formed = client.models.generate_content(config=config, **ask)
    check("google form", json.loads(formed.text)["valid"] is True, formed)

    weather = types.FunctionDeclaration(name="weather", parameters_json_schema=CITY)
    config = types.GenerateContentConfig(tools=[types.Tool(function_declarations=[weather])])
    play(GOOGLE, tools=[["weather", {"city": "Kyoto"}]])
    asked = client.models.generate_content(config=config, **ask)
    call = asked.function_calls[0]
    check("google tool", call.name == "weather" and call.args == {"city": "Kyoto"}, asked)
    talk = [
        types.Content(role="user", parts=[types.Part(text="Hello")]),
        asked.candidates[0].content,
        types.Content(role="user", parts=[
            types.Part.from_function_response(name="weather", response={"result": "rain"})]),
    ]
    client.models.generate_content(model="gemini-3.8-flash", contents=talk, config=config)
    print("ok google tool result")

    for fault, code, status in [
        ("wrong_key", 401, "UNAUTHENTICATED"),
        ("no_model", 404, "NOT_FOUND"),
        ("limited_seconds", 429, "RESOURCE_EXHAUSTED"),
    ]:
        play(GOOGLE, fault=fault)
        error = raises(f"google {fault}", google_errors.ClientError,
                       lambda: client.models.generate_content(**ask))
        check(f"google {fault} has its status", (error.code, error.status) == (code, status), error)
    play(GOOGLE, fault="internal")
    raises("google internal", google_errors.ServerError,
           lambda: client.models.generate_content(**ask))
    play(GOOGLE, fault="filtered")
    filtered = client.models.generate_content(**ask)
    end = filtered.candidates[0].finish_reason
    check("google filtered", end == types.FinishReason.SAFETY, end)


drive_anthropic()
drive_openai()
drive_google()
