"""Run by hand: here it is fine to wait and to print."""

import asyncio
import csv
import sys

from shop import database


async def main(path: str) -> None:
    with open(path) as file:
        for row in csv.DictReader(file):
            await database.write("insert into products (name, price) values (:name, :price)", **row)
            print("imported", row["name"])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
