def main():
    import requests

    print(f"my-tool with requests {requests.__version__}")
