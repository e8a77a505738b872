"""GraphQL servers: Apollo Server, GraphQL Yoga, Mercurius, express-graphql, and the resolvers of their schemas.

Source: the documentation of Apollo Server (Resolvers, Context), GraphQL Tools (Executable Schemas, Merging), GraphQL
Yoga (Schema, Context), Mercurius (API), graphql-js (type definitions), TypeGraphQL (Resolvers).
"""

from prodlint.models.frameworks.model import Framework, Registers, Role, Subclasses, members

_RESOLVERS = ("resolvers.*.*", "resolvers.*.*.resolve", "resolvers.*.*.subscribe")
_SERVERS = (
    "@apollo/server.ApolloServer",
    *(f"apollo-server{kind}.ApolloServer" for kind in ("", "-express", "-fastify", "-koa", "-hapi", "-micro")),
)
_SCHEMAS = (
    "@graphql-tools/schema.makeExecutableSchema",
    "graphql-tools.makeExecutableSchema",
    "@apollo/subgraph.buildSubgraphSchema",
    "graphql-yoga.createSchema",
)
_ADAPTERS = (
    "@apollo/server/express4.expressMiddleware",
    "@as-integrations/express4.expressMiddleware",
    "@as-integrations/express5.expressMiddleware",
    "@as-integrations/fastify.default",
    "@as-integrations/koa.koaMiddleware",
    "@as-integrations/next.startServerAndCreateNextHandler",
    "@apollo/server/standalone.startStandaloneServer",
)
_TYPES = ("graphql.GraphQLObjectType", "graphql.GraphQLInterfaceType")

FRAMEWORK = Framework(
    name="graphql",
    language="javascript",
    serves=(
        *_SERVERS,
        *("graphql-yoga.createYoga", "graphql-yoga.GraphQLServer", "express-graphql.graphqlHTTP", "express-graphql"),
    ),
    registers=(
        Registers(_SERVERS, last=1, properties=(*_RESOLVERS, "context", "rootValue")),
        Registers(_SCHEMAS, last=1, properties=_RESOLVERS),
        Registers(_ADAPTERS, first=1, properties=("context",), role=Role.MIDDLEWARE),
        Registers(("graphql-yoga.createYoga",), last=1, properties=("context",), role=Role.MIDDLEWARE),
        Registers(("graphql-yoga.GraphQLServer",), last=1, properties=(*_RESOLVERS, "context")),
        Registers(
            ("express-graphql.graphqlHTTP", "express-graphql", "graphql-http/lib/use/express.createHandler"),
            last=1,
            properties=("rootValue.*", "context"),
        ),
        Registers(("fastify().register",), first=2, properties=(*_RESOLVERS, "loaders.*.*", "context")),
        Registers(_TYPES, last=1, properties=("fields.*.resolve", "fields.*.subscribe")),
        Registers(("graphql-compose.schemaComposer.createTC().addResolver",), properties=("resolve",)),
    ),
    subclasses=(
        Subclasses(
            decorators=("type-graphql.Resolver()",),
            method_decorators=tuple(
                f"{api}()" for api in members("type-graphql", "Query Mutation Subscription FieldResolver")
            ),
        ),
    ),
)
