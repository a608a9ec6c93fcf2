/**
 * Python packages that are taken from the archive as they are there, for each interpreter from its own suite: what it imports
 * is what Debian says it depends on. nixpkgs' attribute is the index's name in lower case; Debian's is mostly the same.
 */

/** Attributes whose Debian package is `python3-<attribute>`. */
const sameName =
  "aiodns aiohttp aiosignal aiosqlite alembic altair amqp annotated-types anyio argcomplete array-api-compat arrow asgiref " +
  "astroid astropy asttokens async-timeout asyncpg autobahn automat autopep8 babel backoff banal bandit bcrypt billiard " +
  "binaryornot bitarray bitstring bleak blinker boto3 botocore brotli brotlicffi cachetools capstone cartopy cbor2 celery cfgv " +
  "chardet click-plugins cloudpickle cmarkgfm colorama colorful colorlog comm configargparse confluent-kafka constantly " +
  "construct contourpy cookiecutter coverage crcmod cryptography cssselect cycler cytoolz daphne dask dataset dateparser " +
  "dbus-next debugpy decorator deprecated dill diskcache distributed distro dj-database-url django django-allauth " +
  "django-extensions djangorestframework dnspython docker docopt dulwich dunamai ecdsa elasticsearch evdev exceptiongroup " +
  "executing expandvars fabric factory-boy fastapi feedparser filetype fiona fire flake8 flask flask-login flask-migrate " +
  "flask-sqlalchemy flit-scm fonttools freezegun frozenlist fsspec geoip2 geopandas gevent gitdb google-api-core google-auth " +
  "graphviz greenlet grpcio gssapi gunicorn h11 h2 h5py hatch-fancy-pypi-readme hatch-requirements-txt hpack html5lib httpcore " +
  "httptools httpx humanize hyperframe hyperlink hypothesis identify ifaddr imageio importlib-resources incremental inflection " +
  "intelhex invoke ipykernel ipython isort itsdangerous jedi jeepney jmespath joblib jsonpatch jsonschema jupyter-client " +
  "jupyter-core keyring kiwisolver klein kombu kubernetes langdetect lark ldap3 levenshtein llvmlite loguru lxml lz4 mako " +
  "markdown marshmallow maturin matplotlib matplotlib-inline maxminddb mccabe mdurl mechanize mock more-itertools msgpack multidict " +
  "mutagen mypy mypy-extensions myst-parser nanobind nbclient nbconvert nbformat netaddr netcdf4 netifaces networkx nltk notebook " +
  "nox numba numpy oauthlib onnx openpyxl orjson paho-mqtt pandas paramiko parsel parso pbr pcapy pdm pendulum pexpect pika " +
  "pkginfo plotly plumbum poetry poetry-dynamic-versioning podman prometheus-client prompt-toolkit protobuf psutil psycopg " +
  "psycopg2 ptyprocess pure-eval pyasn1 pyasn1-modules pyaudio pybind11 pycares pycodestyle pycryptodome pydantic " +
  "pydantic-core pydocstyle pydot pyelftools pyflakes pygame pygit2 pygraphviz pylsp-mypy pymongo pymysql pynput pyparsing pypdf " +
  "pyperclip pyproj pyqt5 pyqt6 pyshp pytest-asyncio pytest-benchmark pytest-cov pytest-django pytest-httpbin pytest-mock " +
  "pytest-runner pytest-timeout pytest-xdist pytz pyudev pyvirtualdisplay qrcode rapidfuzz rasterio readme-renderer redis regex " +
  "reportlab requests-oauthlib requests-toolbelt responses rich rope rsa s3transfer safetensors scapy scipy scrapy seaborn " +
  "secretstorage selenium semver sentry-sdk service-identity setuptools-rust sh shapely simplejson skyfield smart-open smbus2 " +
  "smmap sniffio sortedcontainers soundfile sphinx sphinx-rtd-theme sqlalchemy sqlparse stack-data starlette statsd statsmodels " +
  "stevedore structlog sympy tables tabulate tenacity termcolor threadpoolctl tomlkit toolz torch tornado tqdm traitlets treq " +
  "trio twisted typer tzlocal ua-parser ujson unicorn unidecode uritemplate uvicorn uvloop versioneer vine voluptuous watchdog " +
  "watchfiles wcwidth websockets werkzeug whitenoise wrapt wsproto wtforms xarray xlib xlrd xlsxwriter xlwt yapf yarl zeroconf " +
  "zstandard h5netcdf ipywidgets lsprotocol openai shellingham textual userpath";

/** The others. */
const otherName: Readonly<Record<string, string>> = {
  attrs: "python3-attr",
  beautifulsoup4: "python3-bs4",
  black: "black",
  cattrs: "python3-cattr",
  channels: "python3-django-channels",
  "dbus-python": "python3-dbus",
  "django-filter": "python3-django-filters",
  "flask-wtf": "python3-flaskext.wtf",
  gitpython: "python3-git",
  "jaraco-classes": "python3-jaraco.classes",
  "jaraco-functools": "python3-jaraco.functools",
  "grpcio-tools": "python3-grpc-tools",
  jsonpointer: "python3-json-pointer",
  jupyterlab: "jupyterlab",
  "markdown-it-py": "python3-markdown-it",
  mkdocs: "mkdocs",
  mysqlclient: "python3-mysqldb",
  nodeenv: "nodeenv",
  odfpy: "python3-odf",
  opencv4: "python3-opencv",
  pillow: "python3-pil",
  pipenv: "pipenv",
  "pre-commit": "pre-commit",
  pycairo: "python3-cairo",
  pygobject3: "python3-gi",
  pyjwt: "python3-jwt",
  pylint: "pylint",
  "pymdown-extensions": "python3-pymdownx",
  pynacl: "python3-nacl",
  pyopengl: "python3-opengl",
  pyopenssl: "python3-openssl",
  pyserial: "python3-serial",
  "python-can": "python3-can",
  "python-dateutil": "python3-dateutil",
  "python-dotenv": "python3-dotenv",
  "python-ldap": "python3-ldap",
  "python-lsp-black": "python3-pylsp-black",
  "python-lsp-jsonrpc": "python3-pylsp-jsonrpc",
  "python-lsp-server": "python3-pylsp",
  "python-magic": "python3-magic",
  "python-snappy": "python3-snappy",
  pyusb: "python3-usb",
  pyxdg: "python3-xdg",
  pyzmq: "python3-zmq",
  "ruamel-yaml": "python3-ruamel.yaml",
  "scikit-build": "python3-skbuild",
  "scikit-image": "python3-skimage",
  "scikit-learn": "python3-sklearn",
  tkinter: "python3-tk",
  tox: "tox",
  twine: "twine",
  vcrpy: "python3-vcr",
  "websocket-client": "python3-websocket",
  "yt-dlp": "yt-dlp",
  "zope-event": "python3-zope.event",
  "zope-interface": "python3-zope.interface",
};

/** Debian keeps the programs of some packages, or what is for one version of Python, apart. */
const parts: Readonly<Record<string, string>> = {
  alembic: "alembic",
  bandit: "bandit",
  cookiecutter: "cookiecutter",
  fabric: "fabric",
  flake8: "flake8",
  fonttools: "fonttools",
  gunicorn: "gunicorn",
  ipython: "ipython3",
  isort: "isort",
  mypy: "mypy",
  nox: "nox",
  pyflakes: "pyflakes3",
  tkinter: "python3.13-tk",
  uvicorn: "uvicorn",
  yapf: "yapf3",
};

/** Debian packages by attribute, the one with the modules first. */
export const archiveNames: ReadonlyMap<string, readonly string[]> = new Map(
  [...sameName.split(" ").map((name): [string, string] => [name, `python3-${name}`]), ...Object.entries(otherName)].map(
    ([name, deb]) => [name, [deb, ...(parts[name] === undefined ? [] : [parts[name]])]],
  ),
);
