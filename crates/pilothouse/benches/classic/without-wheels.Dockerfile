FROM python:3.11-slim
WORKDIR /app
COPY requirements.txt .
RUN pip install --no-cache-dir --no-binary=:all: -r requirements.txt
COPY . .
CMD ["python", "-m", "app"]
