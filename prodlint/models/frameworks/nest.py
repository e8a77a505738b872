"""NestJS: classes whose decorators say what runs for a request.

Source: the NestJS documentation: Controllers, Gateways, Microservices, Guards, Interceptors, Task scheduling, Queues,
Events, CQRS, GraphQL.
"""

from prodlint.models.frameworks.model import Closing, Context, Framework, Role, Subclasses, members

_HTTP = members("@nestjs/common", "Get Post Put Patch Delete Options Head All Sse")
_RESOLVES = "Query Mutation Subscription ResolveField ResolveProperty ResolveReference"
_QUEUE_EVENTS = (
    "Process OnQueueActive OnQueueCompleted OnQueueFailed OnQueueError OnQueueProgress OnQueueStalled OnQueueWaiting"
)

FRAMEWORK = Framework(
    name="nest",
    language="javascript",
    package="@nestjs/core",
    awaits_since=0,
    closing=Closing("@nestjs/core.NestFactory.create().listen", "close", hooks="enableShutdownHooks"),
    serves=("@nestjs/core.NestFactory.create", "@nestjs/core.NestFactory.createMicroservice"),
    subclasses=(
        Subclasses(
            decorators=("@nestjs/common.Controller()",),
            method_decorators=(
                *(f"{api}()" for api in _HTTP),
                "@nestjs/microservices.MessagePattern()",
                "@nestjs/microservices.EventPattern()",
                "@nestjs/microservices.GrpcMethod()",
                "@nestjs/microservices.GrpcStreamMethod()",
                "@nestjs/microservices.GrpcStreamCall()",
            ),
        ),
        Subclasses(
            decorators=("@nestjs/websockets.WebSocketGateway()",),
            method_decorators=("@nestjs/websockets.SubscribeMessage()",),
            role=Role.EVENT,
        ),
        Subclasses(
            decorators=("@nestjs/websockets.WebSocketGateway()",),
            methods=("handleConnection", "handleDisconnect"),
            role=Role.EVENT,
        ),
        Subclasses(
            decorators=("@nestjs/graphql.Resolver()",),
            method_decorators=tuple(f"{api}()" for api in members("@nestjs/graphql", _RESOLVES)),
        ),
        Subclasses(
            decorators=tuple(
                f"{api}()" for api in members("@nestjs/cqrs", "CommandHandler QueryHandler EventsHandler")
            ),
            methods=("execute", "handle"),
        ),
        Subclasses(
            decorators=("@nestjs/bullmq.Processor()",),
            methods=("process",),
            role=Role.TASK,
            context=Context.BACKGROUND,
        ),
        Subclasses(
            decorators=("@nestjs/bullmq.Processor()", "@nestjs/bull.Processor()"),
            method_decorators=(
                *(f"{api}()" for api in members("@nestjs/bullmq", "OnWorkerEvent OnQueueEvent")),
                *(f"{api}()" for api in members("@nestjs/bull", _QUEUE_EVENTS)),
            ),
            role=Role.TASK,
            context=Context.BACKGROUND,
        ),
        Subclasses(
            decorators=("@nestjs/common.Injectable()", "@nestjs/common.Controller()"),
            method_decorators=("@nestjs/event-emitter.OnEvent()",),
            role=Role.EVENT,
            context=Context.BACKGROUND,
        ),
        Subclasses(
            decorators=("@nestjs/common.Injectable()", "@nestjs/common.Catch()"),
            methods=("canActivate", "intercept", "transform", "use", "catch"),
            role=Role.MIDDLEWARE,
        ),
        Subclasses(
            decorators=("@nestjs/common.Injectable()", "@nestjs/common.Controller()"),
            method_decorators=tuple(f"{api}()" for api in members("@nestjs/schedule", "Cron Interval Timeout")),
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
