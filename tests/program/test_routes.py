"""What readers are told where a request comes in: the method, the whole path, the handler."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from prodlint.models.frameworks.model import Role
from prodlint.program.linking.routes import joined, routes_in
from tests.program.conftest import Linker


def manifest(*packages: str) -> str:
    return '{"name": "shop", "dependencies": {' + ", ".join(f'"{name}": "*"' for name in packages) + "}}"


CASES: Mapping[str, tuple[dict[str, str], set[str]]] = {
    "mounted routers of Express": (
        {
            "package.json": manifest("express"),
            "app.js": "const app = require('express')(); app.use('/api', require('./routes/index')); app.listen(1);",
            "routes/index.js": (
                "const { Router } = require('express'); const r = Router(); r.use('/orders', require('./orders'));"
                "module.exports = r;"
            ),
            "routes/orders.js": (
                "const express = require('express'); const router = express.Router(); const show = (q, s) => {};"
                "router.get('/', function list(q, s) {}); router.route('/:id').get(show).delete(function drop(q, s) {});"
                "module.exports = router;"
            ),
        },
        {"GET /api/orders, list()", "GET /api/orders/:id, show()", "DELETE /api/orders/:id, drop()"},
    ),
    "a router that a function makes": (
        {
            "package.json": manifest("express"),
            "app.js": "const app = require('express')(); app.use('/api', require('./routes')({}));",
            "routes.js": (
                "const { Router } = require('express'); module.exports = (deps) => { const r = Router();"
                "r.get('/a', function a(q, s) {}); return r; };"
            ),
        },
        {"GET /api/a, a()"},
    ),
    "paths that are put together": (
        {
            "package.json": manifest("express"),
            "app.js": (
                "const app = require('express')(); const API = '/v1'; app.get(API + '/a', function a(q, s) {});"
                "app.get(['/b', '/c'], function b(q, s) {}); app.get(process.env.PAGE, function c(q, s) {});"
                "app.get(`${API}/d`, function d(q, s) {});"
            ),
        },
        {"GET /v1/a, a()", "GET /b, b()", "GET {process.env.PAGE}, c()", "GET /v1…, d()"},
    ),
    "a router that nobody mounts": (
        {
            "package.json": manifest("express"),
            "routes.js": "const r = require('express').Router(); r.get('/a', function a(q, s) {}); module.exports = r;",
        },
        {"GET /a, a()"},
    ),
    "prefixes of Fastify's plug-ins": (
        {
            "package.json": manifest("fastify"),
            "app.js": "const app = require('fastify')(); app.register(require('./users'), { prefix: '/v1' }); app.listen(1);",
            "users.js": (
                "module.exports = async function (fastify) { fastify.get('/users', async function list(q, r) {});"
                "fastify.register(async (inner) => { inner.get('/deep', async function deep() {}); }, { prefix: '/in' });"
                "fastify.route({ method: 'POST', url: '/users', handler: async function add() {} }); };"
            ),
        },
        {"GET /v1/users, list()", "GET /v1/in/deep, deep()", "POST /v1/users, handler()"},
    ),
    "Koa's routers": (
        {
            "package.json": manifest("koa", "@koa/router"),
            "app.js": (
                "const Koa = require('koa'); const Router = require('@koa/router'); const app = new Koa();"
                "const outer = new Router({ prefix: '/shop' }); const inner = new Router();"
                "inner.get('/b', async function b(ctx) {}); outer.get('/a', async function a(ctx) {});"
                "outer.use('/in', inner.routes()); app.use(outer.routes()); app.listen(1);"
            ),
        },
        {"GET /shop/a, a()", "GET /shop/in/b, b()"},
    ),
    "Hapi": (
        {
            "package.json": manifest("@hapi/hapi"),
            "app.js": (
                "const s = require('@hapi/hapi').server();"
                "s.route({ method: 'GET', path: '/a', handler: function a(q, h) {} });"
            ),
        },
        {"GET /a, handler()"},
    ),
    "Nest's controllers and the prefix of all": (
        {
            "package.json": manifest("@nestjs/core", "@nestjs/common"),
            "main.ts": (
                "import { NestFactory } from '@nestjs/core'; async function main() {"
                "const app = await NestFactory.create({}); app.setGlobalPrefix('api'); await app.listen(1); } main();"
            ),
            "orders.controller.ts": (
                "import { Controller, Get, Post } from '@nestjs/common';"
                "@Controller('orders') export class Orders { @Get(':id') show() {} @Post() add() {} }"
                "@Controller({ path: 'users' }) export class Users { @Get() list() {} }"
            ),
        },
        {"GET /api/orders/:id, Orders.show()", "POST /api/orders, Orders.add()", "GET /api/users, Users.list()"},
    ),
    "versions of Nest's routes": (
        {
            "package.json": manifest("@nestjs/core", "@nestjs/common"),
            "main.ts": (
                "import { NestFactory, VersioningType } from '@nestjs/core'; async function main() {"
                "const app = await NestFactory.create({}); app.enableVersioning({ type: VersioningType.URI }); } main();"
            ),
            "a.controller.ts": (
                "import { Controller, Get, Version } from '@nestjs/common'; @Controller({ path: 'a', version: '1' })"
                "export class A { @Get() list() {} @Version('2') @Get('b') b() {} }"
            ),
        },
        {"GET /v1/a, A.list()", "GET /v2/a/b, A.b()"},
    ),
    "FastAPI's routers": (
        {
            "requirements.txt": "fastapi\n",
            "app/__init__.py": "",
            "app/main.py": """\
                from fastapi import FastAPI
                from . import orders
                from .config import settings
                app = FastAPI()
                app.include_router(orders.router, prefix="/api")
                app.include_router(orders.other, prefix=settings.API)
                @app.get("/me")
                async def me(): pass
                @app.api_route("/several", methods=["PUT", "POST"])
                async def several(): pass
                @app.websocket("/ws")
                async def live(socket): pass
                """,
            "app/config.py": "import os\nclass Settings:\n    API = os.environ['API']\nsettings = Settings()\n",
            "app/orders.py": """\
                from fastapi import APIRouter
                router = APIRouter(prefix="/orders")
                other = APIRouter()
                @router.post("")
                async def place_order(): pass
                @router.get("/{id}")
                async def get_order(id: int): pass
                @other.get("/o")
                async def other_one(): pass
                """,
        },
        {
            *("GET /me, me()", "POST/PUT /several, several()", "WebSocket /ws, live()"),
            *("POST /api/orders, place_order()", "GET /api/orders/{id}, get_order()"),
            "GET {config.settings.API}/o, other_one()",
        },
    ),
    "Flask's blueprints": (
        {
            "requirements.txt": "flask\n",
            "app.py": """\
                from flask import Flask
                from orders import admin, orders
                app = Flask(__name__)
                app.register_blueprint(orders)
                app.register_blueprint(admin, url_prefix="/root")
                @app.route("/pay", methods=["POST"])
                def pay(): pass
                def late(): pass
                app.add_url_rule("/late", view_func=late)
                """,
            "orders.py": """\
                from flask import Blueprint
                orders = Blueprint("orders", __name__, url_prefix="/orders")
                admin = Blueprint("admin", __name__, url_prefix="/admin")
                @orders.get("/<int:id>")
                def show(id): pass
                @admin.route("/")
                def dashboard(): pass
                """,
        },
        {"POST /pay, pay()", "GET /late, late()", "GET /orders/<int:id>, show()", "GET /root/, dashboard()"},
    ),
    "Django's includes": (
        {
            "requirements.txt": "django\ndjangorestframework\n",
            "shop/__init__.py": "",
            "shop/urls.py": """\
                from django.urls import include, path, re_path
                from rest_framework.routers import DefaultRouter
                from . import views
                router = DefaultRouter()
                router.register("things", views.Things)
                extra = [path("x/", views.x)]
                urlpatterns = [
                    path("api/", include("shop.orders")),
                    path("rest/", include(router.urls)),
                    path("extra/", include(extra)),
                    path("", views.home),
                    path("show/<int:pk>/", views.Show.as_view()),
                    re_path(r"^old/$", views.old),
                ]
                """,
            "shop/orders.py": """\
                from django.urls import path
                from . import views
                urlpatterns = [path("orders/", views.orders)]
                """,
            "shop/views.py": """\
                from django.views import View
                from rest_framework.viewsets import ModelViewSet
                def home(request): pass
                def x(request): pass
                def old(request): pass
                def orders(request): pass
                class Show(View):
                    def get(self, request, pk): pass
                class Things(ModelViewSet):
                    def list(self, request): pass
                    def retrieve(self, request, pk): pass
                """,
        },
        {
            *(
                "/api/orders/, orders()",
                "/extra/x/, x()",
                "/, home()",
                "/old/, old()",
                "GET /show/<int:pk>/, Show.get()",
            ),
            *("GET /rest/things/, Things.list()", "GET /rest/things/{pk}/, Things.retrieve()"),
        },
    ),
    "aiohttp's applications": (
        {
            "requirements.txt": "aiohttp\n",
            "app.py": """\
                from aiohttp import web
                async def listed(request): pass
                async def kept(request): pass
                async def admin(request): pass
                routes = web.RouteTableDef()
                @routes.get("/table")
                async def table(request): pass
                app = web.Application()
                inner = web.Application()
                inner.router.add_get("/all", admin)
                app.add_routes([web.get("/listed", listed), web.route("PUT", "/kept", kept)])
                app.add_routes(routes)
                app.add_subapp("/admin", inner)
                """,
        },
        {"GET /listed, listed()", "PUT /kept, kept()", "GET /table, table()", "GET /admin/all, admin()"},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_routes_have_their_method_and_whole_path(linked: Linker, case: str) -> None:
    files, expected = CASES[case]
    program = linked(files)
    handlers = [each for each in program.graph.registrations if each.role is Role.HANDLER]
    assert {routes_in(program).said(handler) for handler in handlers} == expected


def test_what_is_no_route_is_named_by_its_function_or_its_place(linked: Linker) -> None:
    program = linked(
        {
            "package.json": manifest("express"),
            "app.js": """\
                const app = require('express')();
                app.use(function auth(req, res, next) { next(); });
                app.use('/admin', (req, res, next) => next());
                app.use((err, req, res, next) => res.end());
                setInterval(() => {}, 1000);
                """,
        }
    )
    assert [routes_in(program).said(each) for each in program.graph.registrations] == [
        "the middleware auth()",
        "the middleware at app.js:3 of /admin",
        "the error handler at app.js:4",
        "setInterval() at app.js:5",
    ]


def test_dependencies_are_named(linked: Linker) -> None:
    program = linked(
        {
            "requirements.txt": "fastapi\n",
            "app.py": """\
                from fastapi import Depends, FastAPI
                app = FastAPI()
                async def session(): pass
                @app.get("/")
                async def home(s=Depends(session)): pass
                @app.middleware("http")
                async def timing(request, call_next): pass
                """,
        }
    )
    names = {routes_in(program).said(each) for each in program.graph.registrations}
    assert names == {"GET /, home()", "the dependency session()", "the middleware timing()"}


@pytest.mark.parametrize(
    ("paths", "whole"),
    [
        (("/api", "/orders"), "/api/orders"),
        (("/api/", "orders/"), "/api/orders/"),
        (("", "/a"), "/a"),
        (("/api", "", "/"), "/api/"),
    ],
)
def test_paths_are_joined_with_one_slash(paths: tuple[str, ...], whole: str) -> None:
    assert joined(*paths) == whole
