"""NestJS: classes whose decorators say what runs for a request.

Source: the NestJS documentation: Controllers, Gateways, Microservices, Guards, Interceptors, Task scheduling.
"""

from prodlint.models.frameworks.model import Context, Framework, Role, Subclasses, members

_HTTP = members("@nestjs/common", "Get Post Put Patch Delete Options Head All Sse")

FRAMEWORK = Framework(
    name="nest",
    language="javascript",
    package="@nestjs/core",
    serves=("@nestjs/core.NestFactory.create", "@nestjs/core.NestFactory.createMicroservice"),
    subclasses=(
        Subclasses(
            decorators=("@nestjs/common.Controller()",),
            method_decorators=(
                *(f"{api}()" for api in _HTTP),
                "@nestjs/microservices.MessagePattern()",
                "@nestjs/microservices.EventPattern()",
            ),
        ),
        Subclasses(
            decorators=("@nestjs/websockets.WebSocketGateway()",),
            method_decorators=("@nestjs/websockets.SubscribeMessage()",),
            role=Role.EVENT,
        ),
        Subclasses(
            decorators=("@nestjs/graphql.Resolver()",),
            method_decorators=tuple(f"{api}()" for api in members("@nestjs/graphql", "Query Mutation ResolveField")),
        ),
        Subclasses(
            decorators=("@nestjs/common.Injectable()", "@nestjs/common.Catch()"),
            methods=("canActivate", "intercept", "transform", "use", "catch"),
            role=Role.MIDDLEWARE,
        ),
        Subclasses(
            decorators=("@nestjs/common.Injectable()", "@nestjs/common.Controller()"),
            method_decorators=tuple(f"{api}()" for api in members("@nestjs/schedule", "Cron Interval")),
            role=Role.TASK,
            context=Context.BACKGROUND,
        ),
        Subclasses(
            decorators=("@nestjs/common.Injectable()", "@nestjs/common.Controller()", "@nestjs/common.Module()"),
            methods=("onModuleInit", "onApplicationBootstrap", "onModuleDestroy", "onApplicationShutdown"),
            role=Role.LIFESPAN,
            context=Context.STARTUP,
        ),
    ),
)
