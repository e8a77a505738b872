"""Handlers are found however they are registered, and contexts flow along calls."""

from __future__ import annotations

import pytest

from prodlint.program.linking.traces import trace_to
from tests.program.conftest import Linker, contexts

EXPRESS = '{"name": "shop", "dependencies": {"express": "^4.18.0"}}'

JAVASCRIPT = {
    "inline": "const app = require('express')(); app.get('/', function h(req, res) {});",
    "by reference": "const app = require('express')(); function h(req, res) {} app.get('/', h);",
    "hoisted": "const app = require('express')(); app.get('/', h); function h(req, res) {}",
    "after middleware": "const app = require('express')(); const m = () => {}; const h = (req, res) => {}; app.get('/', m, h);",
    "array": "const app = require('express')(); const h = (req, res) => {}; app.get('/', [h]);",
    "spread array": "const app = require('express')(); const h = (req, res) => {}; const all = [h]; app.use(...all);",
    "router": "const {Router} = require('express'); const r = Router(); r.post('/', function h(req, res) {});",
    "new router": "const express = require('express'); const r = new express.Router(); r.post('/', function h() {});",
    "ES default import": "import express from 'express'; const app = express(); app.get('/', function h() {});",
    "ES named import": "import { Router as R } from 'express'; const r = R(); r.get('/', function h() {});",
    "route chain": "const app = require('express')(); app.route('/').get(() => {}).post(function h() {});",
    "bound method": (
        "const app = require('express')(); class C { list(req, res) { this.h(); } h() {} } const c = new C();"
        "app.get('/', c.list.bind(c));"
    ),
    "method of this": (
        "const express = require('express'); class S { constructor() { this.app = express(); "
        "this.app.get('/', this.h); } h(req, res) {} } new S();"
    ),
    "factory": "const app = require('express')(); function auth() { return function h(req, res, next) {}; } app.use(auth());",
    "wrapper": (
        "const app = require('express')(); const wrap = fn => (q, s, n) => fn(q, s, n).catch(n);"
        "app.get('/', wrap(async function h(req, res) {}));"
    ),
    "wrapper from a package": "const app = require('express')(); const w = require('express-async-handler'); app.get('/', w(async function h() {}));",
    "registration helper": (
        "const app = require('express')(); function page(router, path, fn) { router.get(path, fn); }"
        "const h = (req, res) => {}; page(app, '/', h);"
    ),
    "app as a parameter": (
        "const app = require('express')(); (function routes(a) { a.get('/', function h(req, res) {}); })(app);"
    ),
    "app from nowhere": "module.exports = a => { a.get('/users', function h(req, res) {}); };",
    "http server": "const http = require('http'); http.createServer(function h(req, res) {});",
    "http request event": "require('node:http').createServer().on('request', function h(req, res) {});",
    "koa": "const Koa = require('koa'); const app = new Koa(); app.use(async function h(ctx, next) {});",
    "koa router": "const Router = require('@koa/router'); const r = new Router(); r.get('/', async function h(ctx) {});",
    "fastify": "const f = require('fastify')(); f.get('/', async function h(request, reply) {});",
    "fastify options": "const f = require('fastify')(); f.get('/', { schema: {} }, async function h(request, reply) {});",
    "fastify route object": "const f = require('fastify')(); f.route({ method: 'GET', url: '/', handler: () => { h(); } }); function h() {}",
    "fastify plugin": (
        "const f = require('fastify')(); async function plugin(i) { i.get('/', function h() {}); } f.register(plugin);"
    ),
    "hapi": "const Hapi = require('@hapi/hapi'); const s = Hapi.server(); s.route({ path: '/', handler: () => h() }); function h() {}",
    "hapi array": (
        "const Hapi = require('@hapi/hapi'); const s = Hapi.server(); s.route([{ options: { handler() { h(); } } }]); function h() {}"
    ),
    "socket.io": (
        "const { Server } = require('socket.io'); const io = new Server(); io.on('connection', s => { s.on('m', function h() {}); });"
    ),
    "ws": "const { WebSocketServer } = require('ws'); new WebSocketServer().on('connection', w => w.on('message', function h() {}));",
    "promise callback": (
        "const app = require('express')(); app.get('/', (req, res) => { load().then(function h() {}); });"
    ),
}

TYPESCRIPT = {
    "nest": ("import { Controller, Get } from '@nestjs/common'; @Controller('cats') export class C { @Get() h() {} }"),
    "nest service": (
        "import { Controller, Get, Injectable } from '@nestjs/common'; @Injectable() class S { h() {} }"
        "@Controller() class C { constructor(private readonly s: S) {} @Get() all() { return this.s.h(); } }"
    ),
    "typed app": "import { Application } from 'express'; export default (app: Application) => { app.get('x', function h() {}); };",
    "typed handler module": (
        "import express, { Request, Response } from 'express'; const r = express.Router();"
        "export const h = async (req: Request, res: Response): Promise<void> => {}; r.get('/', h);"
    ),
}

PYTHON = {
    "fastapi async": ("from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\nasync def h(): ...\n", "REQUEST"),
    "fastapi def": ("from fastapi import FastAPI\napp = FastAPI()\n@app.get('/')\ndef h(): ...\n", "REQUEST_THREAD"),
    "fastapi router": ("from fastapi import APIRouter\nr = APIRouter()\n@r.post('/')\nasync def h(): ...\n", "REQUEST"),
    "fastapi dependency": (
        "from fastapi import FastAPI, Depends\napp = FastAPI()\nasync def h(): ...\n@app.get('/')\n"
        "async def view(x=Depends(h)): ...\n",
        "REQUEST",
    ),
    "fastapi def dependency": (
        "from fastapi import FastAPI, Depends\napp = FastAPI()\ndef h(): ...\n@app.get('/')\n"
        "async def view(x=Depends(h)): ...\n",
        "REQUEST_THREAD",
    ),
    "annotated dependency": (
        "from typing import Annotated\nfrom fastapi import FastAPI, Depends\napp = FastAPI()\nasync def h(): ...\n"
        "@app.get('/')\nasync def view(x: Annotated[str, Depends(h)]): ...\n",
        "REQUEST",
    ),
    "fastapi added": (
        "from fastapi import FastAPI\napp = FastAPI()\nasync def h(): ...\napp.add_api_route('/', endpoint=h)\n",
        "REQUEST",
    ),
    "fastapi lifespan": (
        "from fastapi import FastAPI\nasync def h(app): yield\napp = FastAPI(lifespan=h)\n",
        "STARTUP",
    ),
    "fastapi background": (
        "from fastapi import FastAPI, BackgroundTasks\napp = FastAPI()\nasync def h(): ...\n@app.get('/')\n"
        "async def view(tasks: BackgroundTasks):\n    tasks.add_task(h)\n",
        "BACKGROUND",
    ),
    "starlette": (
        "from starlette.applications import Starlette\nfrom starlette.routing import Route\nasync def h(r): ...\n"
        "app = Starlette(routes=[Route('/', h)])\n",
        "REQUEST",
    ),
    "flask": ("from flask import Flask\napp = Flask(__name__)\n@app.route('/')\ndef h(): ...\n", "REQUEST_THREAD"),
    "flask blueprint": (
        "from flask import Blueprint\nbp = Blueprint('b', __name__)\n@bp.route('/')\ndef h(): ...\n",
        "REQUEST_THREAD",
    ),
    "flask decorated twice": (
        "from flask import Flask\nfrom x import login_required\napp = Flask(__name__)\n@app.route('/')\n@login_required\n"
        "def h(): ...\n",
        "REQUEST_THREAD",
    ),
    "flask method view": (
        "from flask.views import MethodView\nclass V(MethodView):\n    def get(self):\n        self.h()\n    def h(self): ...\n",
        "REQUEST_THREAD",
    ),
    "quart": ("from quart import Quart\napp = Quart(__name__)\n@app.route('/')\nasync def h(): ...\n", "REQUEST"),
    "django view": (
        "from django.urls import path\ndef h(request): ...\nurlpatterns = [path('x/', h)]\n",
        "REQUEST_THREAD",
    ),
    "django async view": (
        "from django.urls import path\nasync def h(request): ...\nurlpatterns = [path('x/', h)]\n",
        "REQUEST",
    ),
    "django class": (
        "from django.views.generic import View\nclass V(View):\n    def get(self, request):\n        self.h()\n"
        "    def h(self): ...\n",
        "REQUEST_THREAD",
    ),
    "django command": (
        "from django.core.management.base import BaseCommand\nclass Command(BaseCommand):\n"
        "    def handle(self, **o):\n        h()\ndef h(): ...\n",
        "SCRIPT",
    ),
    "rest framework": (
        "from rest_framework.viewsets import ModelViewSet\nclass V(ModelViewSet):\n    def list(self, request):\n"
        "        self.h()\n    def h(self): ...\n",
        "REQUEST_THREAD",
    ),
    "aiohttp": (
        "from aiohttp import web\nasync def h(request): ...\napp = web.Application()\napp.router.add_get('/', h)\n",
        "REQUEST",
    ),
    "aiohttp table": (
        "from aiohttp import web\nroutes = web.RouteTableDef()\n@routes.get('/')\nasync def h(request): ...\n",
        "REQUEST",
    ),
    "aiohttp routes": (
        "from aiohttp import web\nasync def h(request): ...\napp = web.Application()\napp.add_routes([web.get('/', h)])\n",
        "REQUEST",
    ),
    "to_thread": (
        "import asyncio\nfrom fastapi import FastAPI\napp = FastAPI()\ndef h(): ...\n@app.get('/')\nasync def view():\n"
        "    await asyncio.to_thread(h)\n",
        "REQUEST_THREAD",
    ),
    "executor": (
        "import asyncio\nfrom fastapi import FastAPI\napp = FastAPI()\ndef h(): ...\n@app.get('/')\nasync def view():\n"
        "    loop = asyncio.get_running_loop()\n    await loop.run_in_executor(None, h)\n",
        "REQUEST_THREAD",
    ),
    "partial in an executor": (
        "import asyncio\nfrom functools import partial\nfrom fastapi import FastAPI\napp = FastAPI()\ndef h(a): ...\n"
        "@app.get('/')\nasync def view():\n    await asyncio.to_thread(partial(h, 1))\n",
        "REQUEST_THREAD",
    ),
    "own helper for threads": (
        "import asyncio\nfrom fastapi import FastAPI\napp = FastAPI()\ndef h(): ...\n"
        "async def in_thread(fn):\n    return await asyncio.to_thread(fn)\n@app.get('/')\nasync def view():\n"
        "    await in_thread(h)\n",
        "REQUEST_THREAD",
    ),
    "create_task": (
        "import asyncio\nfrom fastapi import FastAPI\napp = FastAPI()\nasync def h(): ...\n@app.get('/')\n"
        "async def view():\n    t = asyncio.create_task(h())\n",
        "BACKGROUND",
    ),
    "celery task": ("from celery import shared_task\n@shared_task\ndef h(): ...\n", "BACKGROUND_THREAD"),
}


@pytest.mark.parametrize("text", JAVASCRIPT.values(), ids=JAVASCRIPT.keys())
def test_javascript_handlers_run_for_a_request(text: str, linked: Linker) -> None:
    assert "REQUEST" in contexts(linked({"app.js": text, "package.json": EXPRESS}), "h")


@pytest.mark.parametrize("text", TYPESCRIPT.values(), ids=TYPESCRIPT.keys())
def test_typescript_handlers_run_for_a_request(text: str, linked: Linker) -> None:
    assert "REQUEST" in contexts(linked({"app.ts": text, "package.json": EXPRESS}), "h")


@pytest.mark.parametrize(("text", "expected"), PYTHON.values(), ids=PYTHON.keys())
def test_python_functions_run_where_the_framework_runs_them(text: str, expected: str, linked: Linker) -> None:
    assert contexts(linked({"app.py": text}), "h") == {expected}


NOT_REQUEST = {
    "module level": "const app = require('express')(); h(); function h() {}",
    "listen callback": "const app = require('express')(); app.listen(3000, function h() {});",
    "same-named method": "const map = new Map(); map.get('/x', function h() {});",
    "axios": "const axios = require('axios'); axios.get('/x').then(function h() {});",
    "jQuery-like client": "const api = require('supertest')(x); api.get('/users', function h(error, body) {});",
    "never called": "const app = require('express')(); app.get('/', (q, s) => {}); function h() {}",
    "interval": "const app = require('express')(); setInterval(function h() {}, 1000);",
}


@pytest.mark.parametrize("text", NOT_REQUEST.values(), ids=NOT_REQUEST.keys())
def test_other_functions_do_not_run_for_a_request(text: str, linked: Linker) -> None:
    assert "REQUEST" not in contexts(linked({"app.js": text, "package.json": EXPRESS}), "h")


def test_the_path_of_a_request_is_shown_across_modules(linked: Linker) -> None:
    program = linked(
        {
            "package.json": EXPRESS,
            "app.js": "const app = require('express')(); require('./routes')(app); app.listen(1);",
            "routes/index.js": (
                "const { show } = require('../lib/users');\n"
                "module.exports = (app) => { app.get('/users', (req, res) => { res.json(show()); }); };"
            ),
            "lib/users.js": "const t = require('./templates'); exports.show = function show() { return t.load(); };",
            "lib/templates.js": "class T { load() { return this.read(); } read() {} } module.exports = new T();",
        }
    )
    assert contexts(program, "read") == {"REQUEST"}
    function = next(n for n, (_, fact) in enumerate(program.resolver.functions) if fact.name == "read")
    state = next(state for state in program.contexts.reach if state[0] == function)
    assert [(step.location.path, step.message) for step in trace_to(program, state, "blocking-call")] == [
        ("routes/index.js", "GET /users is handled by the function in line 2"),
        ("routes/index.js", "the function in line 2 calls show()"),
        ("lib/users.js", "show() calls T.load()"),
        ("lib/templates.js", "T.load() calls T.read()"),
    ]


def test_an_ignore_comment_on_a_call_is_a_barrier_for_its_rule_only(linked: Linker) -> None:
    program = linked(
        {
            "package.json": EXPRESS,
            "app.js": (
                "const app = require('express')();\nfunction h() {}\n"
                "app.get('/', (req, res) => {\n  h(); // prodlint: ignore[blocking-call] tiny\n});\n"
            ),
        }
    )
    function = next(n for n, (_, fact) in enumerate(program.resolver.functions) if fact.name == "h")
    assert not program.contexts_for("blocking-call").of(function)
    assert program.contexts_for("console-logging").of(function)
    assert program.used_directives == {("app.js", 0)}


def test_scripts_are_no_server_code(linked: Linker) -> None:
    program = linked(
        {
            "package.json": EXPRESS,
            "app.js": "const app = require('express')(); const l = require('./lib'); app.get('/', (q, s) => l.a());",
            "lib.js": "exports.a = function a() {}; exports.b = function b() {};",
            "scripts/seed.js": "require('../lib').b();",
        }
    )
    assert contexts(program, "a") == {"REQUEST"}
    assert contexts(program, "b") == {"SCRIPT"}
