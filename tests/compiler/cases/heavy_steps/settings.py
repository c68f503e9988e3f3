import os

import sqlalchemy

DATABASE = os.environ["DATABASE"]
engine = sqlalchemy.create_engine(DATABASE)
