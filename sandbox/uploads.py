"""Request bodies: JSON, and multipart forms with files."""

from __future__ import annotations

import dataclasses
import io
from typing import Any, cast

import orjson
from aiohttp import BodyPartReader, web

from sandbox.internals import BackendError, parse_form

# "The file upload size limit applies to each file in a request. The default limit is 10 MiB for all users"
# https://discord.com/developers/docs/reference#uploading-files
DEFAULT_FILESIZE_LIMIT_BYTES = 10 << 20
MAX_BODY_BYTES = 64 << 20


@dataclasses.dataclass(slots=True)
class Upload:
    """A file of a form, in the shape that simcord's routes read."""

    fp: io.BytesIO
    filename: str
    description: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Body:
    """A request's body: its JSON (None when empty), its files, its size on the wire."""

    json: Any
    files: list[Upload]
    size_bytes: int


def _too_large() -> BackendError:
    # https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes
    return BackendError(413, 40005, "Request entity too large")


async def read_body(request: web.Request, filesize_limit_bytes: int) -> Body:
    """Read a request to its end. Raises BackendError for invalid JSON (50109) and for too much of it (40005)."""
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise _too_large()
    if not request.content_type.startswith("multipart/"):
        raw = await request.read()
        return Body(_parse_json(raw), [], len(raw))
    form: list[dict[str, Any]] = []
    files: list[Upload] = []
    size = 0
    too_large = False
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader):
            raise BackendError(400, 50035, "Invalid Form Body: nested multipart")
        data = bytes(await part.read())
        size += len(data)
        if part.filename:
            too_large = too_large or len(data) > filesize_limit_bytes
            files.append(Upload(io.BytesIO(data), part.filename))
        else:
            form.append({"name": part.name, "value": data.decode()})
    if too_large:
        raise _too_large()
    for field in form:
        if field["name"] == "payload_json":
            _parse_json(field["value"].encode())
    body, uploads = parse_form(form, files)
    if isinstance(body, dict):
        fields = cast("dict[str, Any]", body)
        described = {str(attachment.get("id")): attachment for attachment in fields.get("attachments") or ()}
        for index, upload in enumerate(uploads):
            upload.description = described.get(str(index), {}).get("description")
    return Body(body, uploads, size)


def _parse_json(raw: bytes) -> Any:
    if not raw:
        return None
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise BackendError(400, 50109, "The request body contains invalid JSON.") from error
