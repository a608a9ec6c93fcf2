from importlib.metadata import version


def main():
    import click
    import requests

    click.echo(f"my_tool {version('my_tool')} with click {version('click')} and requests {requests.__version__}")
