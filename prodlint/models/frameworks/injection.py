"""Containers of JavaScript that make what they are asked for: tsyringe, InversifyJS, TypeDI, Nest's own.

Source: the READMEs of tsyringe, InversifyJS and TypeDI; Nest's documentation, "Module reference".
"""

from prodlint.models.frameworks.model import Framework, each

FRAMEWORK = Framework(
    name="injection",
    language="javascript",
    instantiates=(
        "tsyringe.container.resolve",
        "tsyringe.DependencyContainer().resolve",
        "inversify.Container().get",
        "typedi.Container.get",
        *each(("@nestjs/core.ModuleRef()", "@nestjs/core.NestFactory.create()"), "get resolve create"),
    ),
)
