"""The whole service in this process, for what cannot be seen from outside."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette

from app.ingress.routes import routes
from app.server import Service
from app.settings import Settings
from app.stream.direct import DirectProtocol
from tests.support.service import ACCOUNT, TOKEN
from tests.support.stand_in_model import StandInModel


@asynccontextmanager
async def service_here(
    tmp_path: Path, model: StandInModel, agent: str, **door: object
) -> AsyncIterator[tuple[str, Path]]:
    """Serve one agent with a stand-in for OpenAI; yields the URL and the folder of the records. door: changed in it."""
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "agent.yaml").write_text(agent)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        settings = Settings(
            port=port,
            agents_dir=tmp_path / "agents",
            data_dir=tmp_path / "data",
            openai_api_key=SecretStr("sk-test"),
            openai_base_url=model.base_url,
            twilio_auth_token=SecretStr(TOKEN),
            twilio_account_sid=ACCOUNT,
        )
        service = Service(settings, address=f"http://127.0.0.1:{port}")
        await service.start()
        app = Starlette(routes=routes(replace(service.door(), **door)))  # type: ignore[arg-type]  # by name
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws=DirectProtocol, access_log=False)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        try:
            yield f"http://127.0.0.1:{port}", settings.data_dir / "records"
        finally:
            await service.stop()
            server.should_exit = True
            await serving
